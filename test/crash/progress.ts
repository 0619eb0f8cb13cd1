// Shows the progress of a trial: one redrawn line on a terminal, now and then a plain line elsewhere.
import type { Progress } from "./trial.ts";

const plainEveryMs = 10_000;

export function showProgress(name: string, wanted: number) {
  const { isTTY } = process.stderr;
  const startedAt = performance.now();
  let latest: Progress = { jobsAcknowledged: 0, executionsEnded: 0 };
  let times = 0;
  let shownAt = Number.NEGATIVE_INFINITY;

  function draw(): void {
    const now = performance.now();
    if (!isTTY && now - shownAt < plainEveryMs) return;
    shownAt = now;
    const seconds = Math.round((now - startedAt) / 1_000);
    const { jobsAcknowledged, executionsEnded } = latest;
    const line = `${name}: ${times}/${wanted}, ${jobsAcknowledged} jobs acknowledged, ${executionsEnded} executions ended, ${seconds} s`;
    process.stderr.write(isTTY ? `\r\x1b[2K${line}` : `${line}\n`);
  }

  return {
    update(progress: Progress) {
      latest = progress;
      draw();
    },
    count(sofar: number) {
      times = sofar;
      draw();
    },
    end() {
      if (isTTY) process.stderr.write("\r\x1b[2K");
    },
  };
}
