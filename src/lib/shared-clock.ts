// A clock that follows another one, such as the database's, which all instances share.
import type { Clock } from "./clock.ts";

export interface SharedClock extends Clock {
  follow(at: number, askedAt: number, answeredAt: number): void;
  /** Milliseconds by which this machine's wall clock is ahead of the shared time. */
  aheadMs(): number;
}

export function createSharedClock(own: Clock): SharedClock {
  /** Epoch ms at the monotonic time 0. */
  let origin: number | null = null;
  const now = () => (origin === null ? own.now() : Math.round(origin + own.monotonic()));
  return {
    now,
    monotonic: () => own.monotonic(),
    follow(at, askedAt, answeredAt) {
      const [least, most] = [at - answeredAt, at - askedAt];
      // The clock moves only as far as the answer's travel time proves: a slow answer does not make it jump.
      origin = origin === null ? (least + most) / 2 : Math.min(Math.max(origin, least), most);
    },
    aheadMs: () => own.now() - now(),
  };
}
