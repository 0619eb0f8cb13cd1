// Shows a job until it has ended: redrawn in place on a terminal, else a line for whatever changes.
import type { Client, Job, Run } from "../client/client.ts";
import { barLine, countsLine, MAX_RUN_LINES, runLine, stateOf } from "./progress.ts";
import { type Screen, shownOn } from "./terminal.ts";

export const styles = ["auto", "live", "plain", "none"] as const;
export type Style = (typeof styles)[number];

export interface Following {
  style?: Style;
  screen?: Screen;
  signal?: AbortSignal;
  timeoutMs?: number | undefined;
  updateEveryMs?: number;
}

/** Follows the job to its end. @throws ProctorError, or the signal's reason */
export async function follow(client: Client, jobId: string, following: Following = {}): Promise<Job> {
  const { screen = process.stderr, signal, timeoutMs, updateEveryMs = EVERY_MS } = following;
  const style = chosen(following.style ?? "auto", screen);
  if (style === "none") return client.wait(jobId, { signal, timeoutMs });
  const show = style === "live" ? liveView(screen) : plainView(screen);
  const onUpdate = async (job: Job) => show(job, await runsOf(client, job, signal), Date.now());
  return client.wait(jobId, { signal, timeoutMs, onUpdate, updateEveryMs });
}

const EVERY_MS = 1_000;

function chosen(style: Style, { isTTY }: Screen): Exclude<Style, "auto"> {
  if (style !== "auto") return style;
  return isTTY === true && process.env.TERM !== "dumb" ? "live" : "plain";
}

/** None of a job with too many to show. */
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
    // What is left of a taller picture before is cleared, too.
    screen.write(`${up}${lines.map((line) => `\x1b[2K${line}\n`).join("")}\x1b[J`);
    drawn = lines.length;
  };
}

/** A line that wraps would count as one and be two. Some terminals say that they have no columns. */
function clip(line: string, { columns }: Screen): string {
  const width = columns || 80;
  const letters = [...line];
  return letters.length < width ? line : `${letters.slice(0, width - 2).join("")}…`;
}

function plainView(screen: Screen): Show {
  const told = new Map<string, string>();
  const tell = (of: string, state: string, line: string) => {
    if (told.get(of) === state) return;
    told.set(of, state);
    screen.write(`${shownOn(screen, line)}\n`);
  };
  return (job, runs, now) => {
    for (const run of runs) tell(run.id, stateOf(run), runLine(run));
    const counts = countsLine(job);
    // Of few runs each has told for itself.
    if (runs.length === 0 || job.ended_at !== null)
      tell(job.id, `${job.status} ${counts}`, `${barLine(job, now)}${runs.length === 0 ? counts : ""}`);
  };
}
