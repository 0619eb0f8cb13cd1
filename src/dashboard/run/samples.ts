// Lyceum's samples, and the stretches in which a GPU did nothing.

export interface Sample {
  /** Seconds since the epoch. */
  at: number;
  value: number;
}

/** In order of time, without unreadable samples. */
export function samplesOf(series: unknown): Sample[] {
  if (!Array.isArray(series)) return [];
  const samples = series.flatMap((one: { timestamp?: unknown; value?: unknown } | null) => {
    const at = Date.parse(String(one?.timestamp)) / 1_000;
    return Number.isFinite(at) && typeof one?.value === "number" ? [{ at, value: one.value }] : [];
  });
  return samples.sort((a, b) => a.at - b.at);
}

const IDLE_BELOW_PERCENT = 5;

/** Between two idle samples. */
export function idleStretches(samples: Sample[]): { from: number; to: number }[] {
  const stretches: { from: number; to: number }[] = [];
  samples.forEach((sample, index) => {
    const before = samples[index - 1];
    if (before === undefined || before.value >= IDLE_BELOW_PERCENT || sample.value >= IDLE_BELOW_PERCENT)
      return;
    const last = stretches.at(-1);
    if (last?.to === before.at) last.to = sample.at;
    else stretches.push({ from: before.at, to: sample.at });
  });
  return stretches;
}
