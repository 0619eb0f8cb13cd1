// The documented limit on starts [api-reference/introduction, 2025], in fixed windows (their kind is undocumented).

interface Allowance {
  allowed: boolean;
  remaining: number;
  resetAt: number;
}

export interface Limiter {
  take(limit: { starts: number; window: number }, now: number): Allowance;
  reset(): void;
}

export function createLimiter(): Limiter {
  let openedAt = Number.NEGATIVE_INFINITY;
  let used = 0;
  return {
    take({ starts, window }, now) {
      if (now >= openedAt + window) {
        openedAt = now;
        used = 0;
      }
      const allowed = used < starts;
      if (allowed) used += 1;
      return { allowed, remaining: Math.max(0, starts - used), resetAt: openedAt + window };
    },
    reset() {
      openedAt = Number.NEGATIVE_INFINITY;
    },
  };
}
