// Slows down guessing of keys at the sign-in: a few wrong keys per address and minute.

export interface SignInLimit {
  /** Milliseconds until the address may try again; 0 when it may now. */
  pauseMs(address: string, now: number): number;
  noteWrong(address: string, now: number): void;
}

export function createSignInLimit(): SignInLimit {
  /** Moments of wrong keys, oldest first, by address. The address that tried longest ago comes first. */
  const wrong = new Map<string, number[]>();

  const recent = (address: string, now: number) =>
    (wrong.get(address) ?? []).filter((at) => at > now - WINDOW_MS && at <= now);

  return {
    pauseMs(address, now) {
      const moments = recent(address, now);
      const [oldest = now] = moments;
      return moments.length < MAX_WRONG ? 0 : oldest + WINDOW_MS - now;
    },
    noteWrong(address, now) {
      const moments = [...recent(address, now), now].slice(-MAX_WRONG);
      wrong.delete(address);
      wrong.set(address, moments);
      const [first] = wrong.keys();
      if (wrong.size > MAX_ADDRESSES && first !== undefined) wrong.delete(first);
    },
  };
}

export const MAX_WRONG = 10;
const WINDOW_MS = 60_000;
const MAX_ADDRESSES = 10_000;
