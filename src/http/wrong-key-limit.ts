// Slows down guessing of keys: so many wrong keys per address and minute. Memory is bounded.

export interface WrongKeyLimit {
  /** 0 when the address may try again. */
  pauseMs(address: string, now: number): number;
  noteWrong(address: string, now: number): void;
}

/** @param maxWrong wrong keys in a minute that do not yet cause a pause */
export function createWrongKeyLimit(maxWrong: number): WrongKeyLimit {
  /** Oldest first, by address. The address that tried longest ago comes first. */
  const wrong = new Map<string, number[]>();

  const recent = (address: string, now: number) =>
    (wrong.get(address) ?? []).filter((at) => at > now - WINDOW_MS && at <= now);

  return {
    pauseMs(address, now) {
      const moments = recent(address, now);
      const [oldest = now] = moments;
      return moments.length < maxWrong ? 0 : oldest + WINDOW_MS - now;
    },
    noteWrong(address, now) {
      const moments = [...recent(address, now), now].slice(-maxWrong);
      wrong.delete(address);
      wrong.set(address, moments);
      const [first] = wrong.keys();
      if (wrong.size > MAX_ADDRESSES && first !== undefined) wrong.delete(first);
    },
  };
}

/** At the sign-in, where people type. */
export const MAX_WRONG_SIGN_INS = 10;
/** In Authorization headers: workers that share an address may all have an old key for a moment. */
export const MAX_WRONG_BEARERS = 100;
const WINDOW_MS = 60_000;
const MAX_ADDRESSES = 10_000;
