// The service as it is run: the real `src/main.ts` in a process of its own, with everything it printed.
import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";

const main = join(import.meta.dirname, "../../src/main.ts");
const remembered = 30;

export interface Service {
  readonly url: string;
  /** The process id; null before the start. */
  pid(): number | null;
  /** Resolves once it listens (true), or is over before that (false). */
  start(): Promise<boolean>;
  kill(): Promise<void>;
  /** SIGTERM; resolves with its exit code, null when it had to be killed. */
  terminate(withinMs: number): Promise<number | null>;
  /** Unexpected behaviour: exits of its own, faults in its log. */
  readonly complaints: readonly string[];
}

export function createService(options: { env: Record<string, string>; port: number; log: string }): Service {
  let child: ChildProcess | null = null;
  let ended: Promise<number | null> = Promise.resolve(null);
  let isMeant = false;
  const complaints: string[] = [];
  process.on("exit", () => child?.kill("SIGKILL"));

  /** As a supervisor would: again while the database is away. */
  async function start(): Promise<boolean> {
    for (;;) {
      const outcome = await startOnce();
      if (outcome !== "no database" || isMeant) return outcome === "listens";
    }
  }

  function startOnce(): Promise<"listens" | "no database" | "over"> {
    const started = spawnService(options.env);
    const last: string[] = [];
    child = started;
    isMeant = false;
    const listens = Promise.withResolvers<"listens" | "no database" | "over">();
    for (const stream of [started.stdout, started.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        appendFileSync(options.log, `${line}\n`);
        last.push(line);
        if (last.length > remembered) last.shift();
        if (line.includes('"event":"started"')) listens.resolve("listens");
        if (line.includes('"event":"fault"')) complaints.push(`it logged a fault: ${line}`);
      });
    }
    ended = new Promise((resolve) => {
      started.once("close", (code, signal) => {
        const isWithoutDatabase = last.some((line) => line.startsWith("Proctor cannot start: DATABASE_URL="));
        if (!isMeant && !isWithoutDatabase)
          complaints.push(`it ended by itself (${code ?? signal}):\n    ${last.join("\n    ")}`);
        listens.resolve(isWithoutDatabase ? "no database" : "over");
        resolve(code);
      });
    });
    return listens.promise;
  }

  return {
    url: `http://127.0.0.1:${options.port}`,
    complaints,
    pid: () => child?.pid ?? null,
    start,
    async kill() {
      isMeant = true;
      child?.kill("SIGKILL");
      await ended;
    },
    async terminate(withinMs) {
      isMeant = true;
      child?.kill("SIGTERM");
      const timer = setTimeout(() => child?.kill("SIGKILL"), withinMs);
      const code = await ended;
      clearTimeout(timer);
      return code;
    },
  };
}

/** Starts with these settings and waits for the end: for settings that do not let it live. */
export async function runToItsEnd(env: Record<string, string>) {
  const child = spawnService(env);
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      printed += chunk;
    });
  }
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, printed };
}

/** Nothing of this process's own environment may become a setting. */
function spawnService(env: Record<string, string>) {
  return spawn(process.execPath, [main], { env, stdio: ["ignore", "pipe", "pipe"] });
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
