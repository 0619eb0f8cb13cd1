// A job's progress in the terminal: redrawn in place, or plain lines where the output is not a terminal.

export interface JobView {
  id: string;
  status: string;
  progress: number;
  ended_at: string | null;
}

export interface RunView {
  id: string;
  name: string | null;
  kind: string;
  status: string;
  return_code: number | null;
  duration_ms: number | null;
  detected_by: string | null;
  error: { code: string; detail: string } | null;
  executions: { status: string }[];
}

const EVERY_MS = 200;
const BAR = 24;

/** Shows the job until it is terminal; answers its runs. */
export async function watchJob(
  readJob: () => Promise<JobView>,
  readRuns: () => Promise<RunView[]>,
): Promise<RunView[]> {
  const startedAt = performance.now();
  const told = new Map<string, string>();
  let drawn = 0;
  for (;;) {
    const [job, runs] = await Promise.all([readJob(), readRuns()]);
    if (process.stdout.isTTY) {
      const lines = [bar(job, performance.now() - startedAt), ...runs.map(runLine)];
      process.stdout.write(
        `${drawn > 0 ? `\x1b[${drawn}A` : ""}${lines.map((line) => `\x1b[2K${line}\n`).join("")}`,
      );
      drawn = lines.length;
    } else {
      for (const run of runs) {
        if (told.get(run.id) === stateOf(run)) continue;
        told.set(run.id, stateOf(run));
        console.log(runLine(run));
      }
    }
    if (job.ended_at !== null) {
      if (!process.stdout.isTTY) console.log(bar(job, performance.now() - startedAt));
      return runs;
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}

function bar({ status, progress }: JobView, elapsedMs: number): string {
  const full = Math.round(progress * BAR);
  const percent = `${Math.round(progress * 100)} %`.padStart(5);
  return `[${"█".repeat(full)}${"·".repeat(BAR - full)}] ${percent}  ${status}  ${(elapsedMs / 1000).toFixed(1)} s`;
}

function runLine(run: RunView): string {
  const { name, kind, return_code, duration_ms, detected_by, error } = run;
  const facts = [
    return_code === null ? null : `exit ${return_code}`,
    duration_ms === null ? null : `${(duration_ms / 1000).toFixed(2)} s`,
    detected_by === null ? null : `by ${detected_by}`,
    error === null ? null : `${error.code}: ${error.detail}`,
  ].filter((fact) => fact !== null);
  const mark = { succeeded: "✔", failed: "✘", cancelled: "■" }[run.status] ?? "…";
  return `  ${mark} ${(name ?? "").padEnd(12)} ${kind.padEnd(8)} ${stateOf(run).padEnd(22)} ${facts.join(", ")}`;
}

function stateOf(run: RunView): string {
  const execution = run.executions.at(-1);
  return run.status === "active" && execution !== undefined ? `active (${execution.status})` : run.status;
}
