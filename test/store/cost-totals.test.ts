// Costs are found when an end is known, and totals move with them, on both databases.
import fc from "fast-check";
import { expect, test } from "vitest";
import { dayOf, sumOf, toCredits } from "../../src/domain/cost.ts";
import type { Snapshot } from "../../src/domain/execution.ts";
import type { Context } from "../../src/orchestration/context.ts";
import { listExecutions } from "../../src/store/executions.ts";
import { replaceMachineTypes } from "../../src/store/machine-types.ts";
import { readUsage } from "../../src/store/usage.ts";
import { type Database, eachDatabase } from "../support/databases.ts";
import { contextOf, jobNow, live, submitted, tell } from "../support/scene.ts";

const HOUR = 3_600_000;

/** Takes the next run to its end at Lyceum, which says this of it. */
async function end(context: Context, says: Partial<Snapshot>) {
  const { execution } = await live(context);
  const snapshot: Snapshot = { status: "completed", raw: "completed", timedOut: false, ...says };
  await tell(context, execution.id, { type: "snapshot", by: "poll", askedAt: 0, snapshot });
  return execution.id;
}

async function costOf({ store }: Database, id: string) {
  const row = await store.db
    .selectFrom("executions")
    .selectAll()
    .where("id", "=", id)
    .executeTakeFirstOrThrow();
  return [row.cost, row.cost_source];
}

function price({ store }: Database, hardware: string, price_per_hour: number | null) {
  const type = { hardware_profile: hardware, price_per_hour, available: null, fetched_at: 1 };
  return store.write((tx) => replaceMachineTypes(tx.db, [type]));
}

eachDatabase("costs", (open) => {
  test("Lyceum's bill is the cost, whatever the price", async () => {
    const database = await open();
    const context = contextOf(database);
    await price(database, "cpu", 5);
    await submitted(context, 1);
    const id = await end(context, { cost: 0.25, startedAt: 0, endedAt: HOUR, hardware: "cpu" });
    expect(await costOf(database, id)).toEqual([0.25, "billed"]);
  });

  test("a cost without a bill is estimated, by the hardware that was used, else by the requested hardware", async () => {
    const database = await open();
    const context = contextOf(database);
    await price(database, "gpu.h100", 4);
    const job = await submitted(context, 2);
    const told = await end(context, { startedAt: 0, endedAt: HOUR / 2, hardware: "gpu.h100" });
    expect(await costOf(database, told)).toEqual([2, "estimated"]);
    await price(database, "cpu", 1);
    const untold = await end(context, { startedAt: 0, endedAt: HOUR });
    expect(await costOf(database, untold)).toEqual([1, "estimated"]);
    expect(await jobNow(database.store, job.id)).toMatchObject({
      billed_nano: 0,
      estimated_nano: 3_000_000_000,
      unpriced: 0,
    });
  });

  test("an estimate stays when the price changes, and gives way to a bill that comes late", async () => {
    const database = await open();
    const context = contextOf(database);
    await price(database, "cpu", 1);
    const job = await submitted(context, 2);
    const [kept, corrected] = [
      await end(context, { startedAt: 0, endedAt: HOUR }),
      await end(context, { startedAt: 0, endedAt: HOUR }),
    ];
    await price(database, "cpu", 100);
    await tell(context, kept, { type: "collected" });
    const record: Snapshot = { status: "completed", raw: "completed", timedOut: false, cost: 0.75 };
    await tell(context, corrected, { type: "collected", record });
    expect(await costOf(database, kept)).toEqual([1, "estimated"]);
    expect(await costOf(database, corrected)).toEqual([0.75, "billed"]);
    expect(await jobNow(database.store, job.id)).toMatchObject({
      billed_nano: 750_000_000,
      estimated_nano: 1_000_000_000,
    });
  });

  test("an unknown cost is counted as unpriced, and an impossible cost is ignored", async () => {
    const database = await open();
    const context = contextOf(database);
    const job = await submitted(context, 2);
    const ids = [
      await end(context, { startedAt: 0, endedAt: HOUR }),
      await end(context, { cost: 1e300, startedAt: 0, endedAt: HOUR }),
    ];
    for (const id of ids) expect(await costOf(database, id)).toEqual([null, null]);
    expect(await jobNow(database.store, job.id)).toMatchObject({ billed_nano: 0, unpriced: 2 });
  });

  test("the interim cost of a live execution does not count", async () => {
    const database = await open();
    const context = contextOf(database);
    const job = await submitted(context, 1);
    const { execution } = await live(context);
    const snapshot: Snapshot = { status: "running", raw: "running", timedOut: false, cost: 0.5 };
    await tell(context, execution.id, { type: "snapshot", by: "poll", askedAt: 0, snapshot });
    expect(await costOf(database, execution.id)).toEqual([null, null]);
    expect(await jobNow(database.store, job.id)).toMatchObject({ billed_nano: 0, unpriced: 0 });
  });

  test("totals by day, key and job equal a recount after any ends", async () => {
    const database = await open();
    const { store, time } = database;
    const context = contextOf(database);
    await price(database, "cpu", 0.1);
    const jobs = [
      await submitted(context, 30, { retry: { maxAttempts: 3, on: ["failed"] } }),
      await submitted(context, 30, {}, { apiKey: "bob" }),
    ];
    const ends = fc.record({
      status: fc.constantFrom("completed" as const, "failed" as const, "aborted" as const),
      cost: fc.option(fc.double({ min: -1, max: 100, noNaN: true }), { nil: undefined }),
      startedAt: fc.option(fc.nat(1_000), { nil: undefined }),
      endedAt: fc.option(fc.nat(HOUR), { nil: undefined }),
      late: fc.option(fc.double({ min: 0, max: 100, noNaN: true }), { nil: undefined }),
      isTwice: fc.boolean(),
      passMs: fc.nat(9 * HOUR),
    });
    for (const { status, late, isTwice, passMs, ...says } of fc.sample(ends, { numRuns: 40, seed: 7 })) {
      time.pass(passMs);
      const snapshot: Partial<Snapshot> = { ...says, status, raw: status };
      const id = await end(context, snapshot);
      const record = late === undefined ? undefined : { status, raw: status, timedOut: false, cost: late };
      if (isTwice) await tell(context, id, { type: "collect_later", dueAt: time.now() + 1, record });
      await tell(context, id, { type: "collected", record });
      await tell(context, id, { type: "collected", record });
    }
    const runs = await store.db.selectFrom("runs").select("id").execute();
    const executions = (
      await listExecutions(
        store.db,
        runs.map(({ id }) => id),
      )
    ).filter((execution) => execution.detectedAt !== null);
    expect(executions).toHaveLength(40);
    const keyOf = new Map(jobs.map((job) => [job.id, job.api_key]));
    const recount = (its: typeof executions) => {
      const of = (source: string) =>
        sumOf(
          its.map(({ cost, costSource }) => ({
            cost: costSource === source ? cost : null,
            source: costSource,
          })),
        ).cost ?? 0;
      return {
        billed: of("billed"),
        estimated: of("estimated"),
        unpriced: its.filter(({ cost }) => cost === null).length,
      };
    };
    const kept = (it: { billedNano: number; estimatedNano: number; unpriced: number }) => ({
      billed: toCredits(it.billedNano),
      estimated: toCredits(it.estimatedNano),
      unpriced: it.unpriced,
    });
    for (const { id } of jobs) {
      const { billed_nano: billedNano, estimated_nano: estimatedNano, unpriced } = await jobNow(store, id);
      expect(kept({ billedNano, estimatedNano, unpriced })).toEqual(
        recount(executions.filter((one) => one.jobId === id)),
      );
    }
    const all = { from: "1970-01-01", to: "2999-12-31", apiKey: null };
    for (const by of ["day", "api_key"] as const) {
      const rows = await readUsage(store.db, by, all);
      const groups = Map.groupBy(executions, (one) =>
        by === "day" ? dayOf(one.detectedAt ?? 0) : (keyOf.get(one.jobId) ?? ""),
      );
      expect(new Map(rows.map((row) => [row.group, kept(row)]))).toEqual(
        new Map([...groups].map(([name, its]) => [name, recount(its)])),
      );
      expect(rows.reduce((sum, row) => sum + row.executions, 0)).toBe(40);
    }
  });
});
