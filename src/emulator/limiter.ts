// The documented limits on starts and billing [api-reference/introduction, 2025], in (undocumented) fixed windows.

interface Allowance {
  allowed: boolean;
  remaining: number;
  /** End of the window, milliseconds since the epoch. */
  resetAt: number;
}

export interface Limiter {
  take(kind: "starts" | "billing", limit: { calls: number; window: number }, now: number): Allowance;
  reset(): void;
}

export function createLimiter(): Limiter {
  const windows = new Map<string, { openedAt: number; used: number }>();
  return {
    take(kind, { calls, window }, now) {
      const open = windows.get(kind);
      const current = open !== undefined && now < open.openedAt + window ? open : { openedAt: now, used: 0 };
      windows.set(kind, current);
      const allowed = current.used < calls;
      if (allowed) current.used += 1;
      return {
        allowed,
        remaining: Math.max(0, calls - current.used),
        resetAt: current.openedAt + window,
      };
    },
    reset: () => windows.clear(),
  };
}
