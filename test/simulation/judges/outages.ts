// An outage of starts costs the starts that were under way when it began, and a few probes further and further apart.
import { demand } from "../invariants.ts";

const SECOND = 1_000;
const MAX_PAUSE_MS = 300 * SECOND;
/** Starts of one boot that may be under way, or begin, before the first bad answer is written. */
const SLACK = 2;

export function createOutages(now: () => number, concurrency: number) {
  /** Starts sent since the last one that got through, by outage. */
  let since: number | null = null;
  let starts = 0;
  let boots = 1;

  return {
    booted: () => void boots++,
    /** @param outage what the start meets; null: it gets through */
    sent(outage: string | null): void {
      if (outage === null) {
        since = null;
        starts = 0;
        boots = 1;
        return;
      }
      since ??= now();
      starts++;
      const most = boots * (concurrency + probesWithin(now() - since) + SLACK);
      demand(starts <= most, () => `${starts} starts are sent into an outage (${outage}), ${most} may be`);
    },
  };
}

/** From 1 s to 5 min, twice as far each time, and at half of it when the pauses are spread. */
function probesWithin(ms: number): number {
  let probes = 1;
  let pauseMs = SECOND;
  for (let at = 0; at <= ms; at += pauseMs / 2, pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) probes++;
  return probes;
}
