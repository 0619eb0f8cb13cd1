// The work of an execution: Python is executed, everything else is simulated and says so.
import type { Chaos } from "./chaos.ts";
import { type Chunk, type Execution, isOver, type Result, type Start } from "./execution.ts";
import { pauseIn, type Timers } from "./pause.ts";
import { runPython } from "./python.ts";

export interface Work {
  /** Resolves with the result, also after a kill. */
  run(execution: Execution): Promise<Result>;
  /** Does not kill processes. */
  idle(): Promise<void>;
}

interface WorkDeps {
  chaos: Chaos;
  timers: Timers;
  now: () => number;
  python: { command: string; outputLimit: number };
}

export function createWork({ chaos, timers, now, python }: WorkDeps): Work {
  const processes = new Set<Promise<unknown>>();

  async function compute(execution: Execution): Promise<Result> {
    const { start } = execution;
    if (start.requirements !== null) {
      execution.installLog = `emulator: requirements are not installed here:\n${start.requirements}`;
    }
    const run = runPython({
      command: python.command,
      outputLimit: python.outputLimit,
      code: start.subject,
      files: start.files,
      priorImports: start.priorImports,
      timeoutMs: start.timeoutMs,
      onOutput: (stream, text) => print(execution, stream, text),
    });
    execution.kill = run.kill;
    processes.add(run.ended);
    const ended = await run.ended;
    processes.delete(run.ended);
    delete execution.kill;
    switch (ended.end) {
      case "exited":
        await pauseIn(timers, execution, chaos.of(execution).delay);
        return exited(ended.code, ended.signal);
      case "timed out":
        return timedOut(execution);
      case "not started":
        return { word: "system_failure", returnCode: null, errors: `emulator: ${ended.problem}` };
      case "no interpreter":
        print(execution, "stdout", `emulator: ${python.command} is not here, so the code was not run\n`);
        return pretend(execution);
    }
  }

  async function pretend(execution: Execution): Promise<Result> {
    const { start, children } = execution;
    const { delay, exit: asked, lines } = chaos.of(execution);
    const exit = asked || exitWrittenIn(start);
    for (const member of [execution, ...children]) {
      print(member, "stdout", `emulator: pretended to run ${what(start)} on ${member.hardwareProfile}\n`);
      if (lines > 0) print(member, "stdout", manyLines(lines));
    }
    if (delay > start.timeoutMs) {
      await pauseIn(timers, execution, start.timeoutMs);
      return timedOut(execution);
    }
    await pauseIn(timers, execution, delay);
    if (exit !== 0) print(execution, "stderr", `emulator: pretended to exit with ${exit}\n`);
    return exited(exit, null);
  }

  function print(execution: Execution, stream: Chunk["stream"], text: string): void {
    if (isOver(execution)) return;
    execution.output.push({ at: now(), stream, text });
    execution.size += text.length;
  }

  function timedOut(execution: Execution): Result {
    const errors = `emulator: ran past its timeout of ${execution.start.timeoutMs / 1000} s`;
    return { word: chaos.of(execution).timeout, returnCode: null, errors };
  }

  return {
    run: (execution) => (execution.start.kind === "python" ? compute(execution) : pretend(execution)),
    async idle() {
      await Promise.all(processes);
    },
  };
}

function exited(code: number | null, signal: string | null): Result {
  const word = code === 0 ? "completed" : "failed";
  return { word, returnCode: code, errors: signal === null ? null : `emulator: ended by ${signal}` };
}

function manyLines(count: number): string {
  return Array.from({ length: count }, (_, nth) => `emulator: line ${nth + 1}\n`).join("");
}

/** Simulated Python fails if its text exits with a number other than 0. */
function exitWrittenIn({ kind, subject }: Start): number {
  const code = kind === "python" ? /^sys\.exit\((\d{1,3})\)/m.exec(subject)?.[1] : undefined;
  return Number(code ?? 0) % 256;
}

function what({ kind, subject }: Start): string {
  if (kind === "image") return `image ${subject}`;
  return kind === "compose" ? "a Compose stack" : "Python code";
}
