// Some hundred lives of the service and every seed that ever failed. The seeds are the same in each run, so a failure is
// about the change; `npm run sim` draws fresh seeds.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { simulate } from "./world.ts";

const count = Number(process.env.SIM_SEEDS ?? 200);
const from = Number(process.env.SIM_FROM ?? 1);
const everFailed = readFileSync(new URL("failed.txt", import.meta.url), "utf8").match(/^\d+/gm) ?? [];

test("every seed that ever failed holds", { timeout: 600_000 }, async () => {
  for (const seed of everFailed.map(Number)) await holds(seed);
});

test(`${count} seeds from ${from} hold`, { timeout: 600_000 }, async () => {
  for (let seed = from; seed < from + count; seed++) await holds(seed);
});

test("one seed tells the same story twice", async () => {
  const [first, second] = [await simulate(from), await simulate(from)];
  expect(second.trace).toEqual(first.trace);
  expect(second.hash).toBe(first.hash);
});

async function holds(seed: number): Promise<void> {
  const { failure, trace } = await simulate(seed);
  if (failure === null) return;
  throw new Error(`seed ${seed}: ${failure}\nnpm run sim -- --seed ${seed}\n${trace.slice(-60).join("\n")}`);
}
