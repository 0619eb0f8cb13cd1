// The time in which this process was at work, for conclusions from how long nothing was heard.

/**
 * @param monotonic milliseconds
 * @returns milliseconds. To be called at least every 30 s: nothing counts of a longer gap, in which the process stood
 *   still, because it was stopped or had no processor
 */
export function createAwakeTime(monotonic: () => number): () => number {
  let lastAt = monotonic();
  let awakeMs = 0;
  return () => {
    const gapMs = monotonic() - lastAt;
    lastAt += gapMs;
    if (gapMs <= MAX_GAP_MS) awakeMs += gapMs;
    return awakeMs;
  };
}

/** More than the longest sleep of a worker (workers/loop.ts). */
const MAX_GAP_MS = 45_000;
