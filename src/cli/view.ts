// Follows a job to its end: redrawn in place on a terminal, else one line per change.
import type { Client, Job, Run } from "../client/client.ts";
import { barLine, countsLine, MAX_RUN_LINES, runLine, stateOf } from "./progress.ts";
import { type Screen, shownOn } from "./terminal.ts";

export const styles = ["auto", "live", "plain", "none"] as const;
export type Style = (typeof styles)[number];

export interface FollowOptions {
  style?: Style;
  screen?: Screen;
  signal?: AbortSignal;
  timeoutMs?: number | undefined;
  updateEveryMs?: number;
}

/** @throws ProctorError, or the signal's reason */
export async function follow(client: Client, jobId: string, options: FollowOptions = {}): Promise<Job> {
  const { screen = process.stderr, signal, timeoutMs, updateEveryMs = UPDATE_EVERY_MS } = options;
  const style = resolveStyle(options.style ?? "auto", screen);
  if (style === "none") return client.wait(jobId, { signal, timeoutMs });
  const show = style === "live" ? liveView(screen) : plainView(screen);
  const onUpdate = async (job: Job) => show(job, await runsOf(client, job, signal), Date.now());
  return client.wait(jobId, { signal, timeoutMs, onUpdate, updateEveryMs });
}

const UPDATE_EVERY_MS = 1_000;

function resolveStyle(style: Style, { isTTY }: Screen): Exclude<Style, "auto"> {
  if (style !== "auto") return style;
  return isTTY === true && process.env.TERM !== "dumb" ? "live" : "plain";
}

/** Empty if the runs are too many to show. */
async function runsOf(client: Client, job: Job, signal: AbortSignal | undefined): Promise<Run[]> {
  const total = Object.values(job.counts).reduce((sum, count) => sum + count, 0);
  return total > MAX_RUN_LINES ? [] : Array.fromAsync(client.runs(job.id, { signal }));
}

type Show = (job: Job, runs: Run[], now: number) => void;

function liveView(screen: Screen): Show {
  let drawn = 0;
  return (job, runs, now) => {
    const lines = [barLine(job, now), countsLine(job), ...runs.map(runLine)].map((line) =>
      clip(shownOn(screen, line), screen),
    );
    const up = drawn > 0 ? `\x1b[${drawn}A` : "";
    // Also clear the rest of a taller previous drawing.
    screen.write(`${up}${lines.map((line) => `\x1b[2K${line}\n`).join("")}\x1b[J`);
    drawn = lines.length;
  };
}

/** Wrapped lines would break the redrawing. Some terminals report zero columns. */
function clip(line: string, { columns }: Screen): string {
  const width = columns || 80;
  const letters = [...line];
  return letters.length < width ? line : `${letters.slice(0, width - 2).join("")}…`;
}

function plainView(screen: Screen): Show {
  const printed = new Map<string, string>();
  const printChange = (id: string, state: string, line: string) => {
    if (printed.get(id) === state) return;
    printed.set(id, state);
    screen.write(`${shownOn(screen, line)}\n`);
  };
  return (job, runs, now) => {
    for (const run of runs) printChange(run.id, stateOf(run), runLine(run));
    const counts = countsLine(job);
    // With few runs, their own lines show the progress.
    if (runs.length === 0 || job.ended_at !== null)
      printChange(
        job.id,
        `${job.status} ${counts}`,
        `${barLine(job, now)}${runs.length === 0 ? counts : ""}`,
      );
  };
}
