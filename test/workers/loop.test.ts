// The one timer of a worker: no wake-up is lost, at whatever moment it comes.
import { expect, test } from "vitest";
import { createLoop } from "../../src/workers/loop.ts";

/** A worker that has nothing to do, and timers that only note for when they are set; `wakeAfter` wakes it thereupon. */
function loopWith({ wakeAfter }: { wakeAfter: number }) {
  const delays: number[] = [];
  let fire = () => {};
  const loop = createLoop(
    { name: "dispatch", runOnce: async () => null, idle: async () => {} },
    {
      clock: { now: () => 0, monotonic: () => 0 },
      timers: {
        after(ms, fn) {
          delays.push(ms);
          fire = fn;
          if (delays.length === wakeAfter) queueMicrotask(() => loop.wake(0));
          return () => {};
        },
      },
      onError: (_, error) => {
        throw error;
      },
    },
  );
  const round = async () => {
    fire();
    await new Promise(setImmediate);
  };
  return { loop, delays, round };
}

test("a wake-up just after the next round was planned is not lost", async () => {
  const { loop, delays, round } = loopWith({ wakeAfter: 2 });
  loop.start();
  await round();
  expect(delays).toEqual([0, 30_000, 0]);
  await loop.stop();
});

test("a wake-up during a round causes another round", async () => {
  const { loop, delays, round } = loopWith({ wakeAfter: Number.NaN });
  loop.start();
  const during = round();
  loop.wake(5_000);
  await during;
  expect(delays).toEqual([0, 5_000]);
  await loop.stop();
});
