// A few hundred fresh lives of the service, and all that ever failed.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { simulate } from "./world.ts";

const FRESH = Number(process.env.SIM_SEEDS ?? 200);
const from = Math.floor(Math.random() * 1e9);
const everFailed = readFileSync(new URL("failed.txt", import.meta.url), "utf8").match(/^\d+/gm) ?? [];

test("every seed that ever failed holds", { timeout: 600_000 }, async () => {
  for (const seed of everFailed.map(Number)) await holds(seed);
});

test(`fresh seeds hold (${FRESH} from ${from})`, { timeout: 600_000 }, async () => {
  for (let seed = from; seed < from + FRESH; seed++) await holds(seed);
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
