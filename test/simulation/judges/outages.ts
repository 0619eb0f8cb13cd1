// An outage of starts costs the starts that were under way when it began, and a few probes further and further apart.
import { demand } from "../invariants.ts";

const SECOND = 1_000;
const MAX_PAUSE_MS = 300 * SECOND;
export function createOutages(now: () => number, concurrency: number, hosts: number) {
  /** Starts sent since the last one that got through, by outage. */
  let since: number | null = null;
  let starts = 0;
  /** Each host finds out for itself. */
  let boots = hosts;

  return {
    booted: () => void boots++,
    /** @param outage what the start meets; null: it gets through */
    sent(outage: string | null): void {
      if (outage === null) {
        since = null;
        starts = 0;
        boots = hosts;
        return;
      }
      since ??= now();
      starts++;
      const most = boots * (concurrency + probesWithin(now() - since));
      demand(starts <= most, () => `${starts} starts are sent into an outage (${outage}), ${most} may be`);
    },
  };
}

/** From 1 s to 5 min, twice as far each time, and at half of it when the pauses are spread. */
function probesWithin(ms: number): number {
  let probes = 0;
  let pauseMs = SECOND;
  for (let at = pauseMs / 2; at <= ms; at += pauseMs / 2) {
    probes++;
    pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS);
  }
  return probes;
}
