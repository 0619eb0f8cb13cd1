// Some hundred lives of the service and every seed that ever failed. The seeds are the same in each run, so a failure is
// about the change; `npm run sim` draws fresh seeds.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { simulate } from "./world.ts";

const count = Number(process.env.SIM_SEEDS ?? 200);
const from = Number(process.env.SIM_FROM ?? 1);
/** Several hosts cost more: about 20 s. */
const shared = Number(process.env.SIM_SHARED_SEEDS ?? 10);
const failed = readFileSync(new URL("failed.txt", import.meta.url), "utf8");
/** A seed, and the number of its hosts unless there is one. */
const everFailed = [...failed.matchAll(/^(\d+)(?: of (\d) hosts:)?/gm)];

test("every seed that ever failed holds", { timeout: 600_000 }, async () => {
  for (const [, seed, hosts = 1] of everFailed) await holds(Number(seed), Number(hosts));
});

test(`${count} seeds from ${from} hold`, { timeout: 600_000 }, async () => {
  for (let seed = from; seed < from + count; seed++) await holds(seed, 1);
});

test(`${shared} seeds of several hosts over one database hold`, { timeout: 600_000 }, async () => {
  for (let seed = from; seed < from + shared; seed++) await holds(seed, (seed % 2) + 2);
});

// Stories of the seeds 17 and 23 last long enough for every worker's rounds.
test.each([
  { hosts: 1, seed: 17 },
  { hosts: 1, seed: 23 },
  { hosts: 3, seed: 1 },
])("one seed tells the same story twice ($seed, hosts: $hosts)", async ({ hosts, seed }) => {
  const [first, second] = [await simulate(seed, { hosts }), await simulate(seed, { hosts })];
  expect(second.trace).toEqual(first.trace);
  expect(second.hash).toBe(first.hash);
});

async function holds(seed: number, hosts: number): Promise<void> {
  const { failure, trace } = await simulate(seed, { hosts });
  if (failure === null) return;
  throw new Error(
    `seed ${seed}: ${failure}\nnpm run sim -- --seed ${seed} --hosts ${hosts}\n${trace.slice(-60).join("\n")}`,
  );
}
