// The chaos program in short, for every change.
import { expect, test } from "vitest";
import { runChaos } from "./story.ts";

test("three instances lose nothing and start nothing twice while each of them and the database fail in turn", async () => {
  const { isGood, report } = await runChaos({
    seed: 7,
    instances: 3,
    disturbedSeconds: 20,
    longestFreezeMs: 12_000,
    limit: { max: 30, windowMs: 5_000 },
    keep: false,
    onProgress: () => {},
  });
  expect(isGood, report).toBe(true);
}, 180_000);
