// A bounded histogram of delays: buckets that grow by 9 %, so that a percentile is off by 5 % at most.

export function bucketOf(delayMs: number): number {
  if (delayMs < 1) return 0;
  return Math.min(1 + Math.floor(Math.log2(delayMs) * PER_DOUBLING), MAX_BUCKET);
}

/** Milliseconds that this share of all samples does not exceed. @param buckets samples by bucket */
export function percentile(buckets: ReadonlyMap<number, number>, share: number): number | null {
  const sorted = [...buckets].sort(([one], [other]) => one - other);
  const total = sorted.reduce((sum, [, samples]) => sum + samples, 0);
  let left = share * total;
  for (const [bucket, samples] of sorted) {
    left -= samples;
    if (left <= 0) return bucket === 0 ? 0 : Math.round(2 ** ((bucket - 0.5) / PER_DOUBLING));
  }
  return null;
}

const PER_DOUBLING = 8;
const MAX_BUCKET = 30 * PER_DOUBLING;
