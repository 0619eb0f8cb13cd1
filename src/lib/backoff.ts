// Exponential backoff: the one formula for waits that grow with each failure.

export interface Backoff {
  firstMs: number;
  maxMs: number;
  /** Growth per failure; 2 by default. */
  factor?: number;
}

/** Milliseconds to wait, without jitter. @param failures in a row, 1 or more; less counts as 1 */
export function exponentialMs(failures: number, { firstMs, maxMs, factor = 2 }: Backoff): number {
  return Math.min(maxMs, firstMs * factor ** Math.min(Math.max(failures - 1, 0), 30));
}
