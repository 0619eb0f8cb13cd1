// Executes a Python run's code in its own temporary folder and process group, with a minimal environment.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Chunk } from "./execution.ts";

interface PythonOptions {
  command: string;
  code: string;
  files: Record<string, string>;
  priorImports: string[];
  timeoutMs: number;
  /** Characters of stdout and stderr together; the rest is cut with a note. */
  outputLimit: number;
  onOutput(stream: Chunk["stream"], text: string): void;
}

type PythonEnd =
  | { end: "exited"; code: number | null; signal: string | null }
  | { end: "timed out" }
  | { end: "no interpreter" }
  | { end: "not started"; problem: string };

interface PythonRun {
  ended: Promise<PythonEnd>;
  /** Kills the whole process group; harmless after its end. */
  kill(): void;
}

export function runPython(options: PythonOptions): PythonRun {
  let child: ChildProcess | undefined;
  let killed = false;
  const kill = () => {
    killed = true;
    if (child) killGroup(child);
  };
  const ended = (async (): Promise<PythonEnd> => {
    const folder = await mkdtemp(join(tmpdir(), "lyceum-emulator-"));
    try {
      const problem = await lay(folder, options);
      if (problem !== undefined) return { end: "not started", problem };
      if (killed) return { end: "exited", code: null, signal: "SIGKILL" };
      child = start(folder, options);
      return await watch(child, options);
    } finally {
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    }
  })();
  return { ended, kill };
}

/** The code is outside the run's folder, so that no imported file can replace it. */
async function lay(
  folder: string,
  { code, files, priorImports }: PythonOptions,
): Promise<string | undefined> {
  const imports = priorImports.filter((name) => /^[\w.]+$/.test(name)).map((name) => `import ${name}\n`);
  try {
    await mkdir(join(folder, "work"));
    await writeFile(join(folder, "main.py"), imports.join("") + code);
    for (const [path, text] of Object.entries(files)) {
      const target = join(folder, "work", path);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, text);
    }
  } catch (error) {
    // Paths that contradict each other (`a` and `a/b`) or are too long: the run's fault, not a bug.
    return String(error);
  }
  return undefined;
}

function start(folder: string, { command }: PythonOptions): ChildProcess {
  const work = join(folder, "work");
  const { PATH, HOME, LANG } = process.env;
  return spawn(command, ["-u", join(folder, "main.py")], {
    cwd: work,
    env: { PATH, HOME, LANG, PYTHONPATH: work, PYTHONDONTWRITEBYTECODE: "1", PYTHONIOENCODING: "utf-8" },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function watch(child: ChildProcess, { timeoutMs, outputLimit, onOutput }: PythonOptions): Promise<PythonEnd> {
  let room = outputLimit;
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream]?.setEncoding("utf8");
    child[stream]?.on("data", (text: string) => {
      if (room <= 0) return;
      onOutput(stream, text.slice(0, room));
      room -= text.length;
      if (room <= 0) onOutput("stderr", `\nemulator: output cut after ${outputLimit} characters\n`);
    });
  }
  return new Promise((resolve) => {
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      killGroup(child);
    }, timeoutMs);
    child.once("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      resolve(
        error.code === "ENOENT" ? { end: "no interpreter" } : { end: "not started", problem: error.message },
      );
    });
    child.once("exit", () => {
      clearTimeout(timer);
      // Children that outlive the script would keep the pipes open.
      killGroup(child);
      setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, 500).unref();
    });
    child.once("close", (code, signal) => {
      resolve(timedOut ? { end: "timed out" } : { end: "exited", code, signal });
    });
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch (error) {
    // ESRCH: the group has already ended.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
