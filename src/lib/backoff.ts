// Exponential backoff: the one formula for waits that grow with each failure.

export interface Backoff {
  firstMs: number;
  maxMs: number;
  factor?: number;
}

/** @param failures in a row; less than 1 counts as 1 */
export function exponentialMs(failures: number, { firstMs, maxMs, factor = 2 }: Backoff): number {
  return Math.min(maxMs, firstMs * factor ** Math.min(Math.max(failures - 1, 0), 30));
}
