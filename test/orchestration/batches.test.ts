// Facts that are told together share their statements: what becomes of the runs must be what would have become of them
// one by one.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Fact } from "../../src/domain/state-machine/fact.ts";
import { applyFacts, type FactFor } from "../../src/orchestration/apply-facts.ts";
import { type Database, eachDatabase, type Open } from "../support/databases.ts";
import { claimed, contextOf, live, read, submitted } from "../support/scene.ts";

const RUNS = 6;

const facts: ((number: number) => Fact)[] = [
  (number) => ({
    type: "accepted",
    lyceumExecutionId: `lyceum-${number}`,
    status: "pending",
    raw: "pending",
    found: false,
  }),
  () => read("running"),
  () => ({ ...read("completed"), leaseUntil: 9e12 }) as Fact,
  () => {
    const snapshot = { status: "failed", raw: "failed", timedOut: false, returnCode: 3, cost: 0.25 } as const;
    return { type: "snapshot", by: "poll", askedAt: 0, snapshot };
  },
  () => ({ type: "callback" }),
  () => ({ type: "collected" }),
  () => ({ type: "outcome_unknown", detail: "reset" }),
  () => ({ type: "refused", status: 422, detail: "no such image" }),
  () => ({ type: "cancel", cancellation: { mode: "abort", cause: "request" } }),
];

const step = fc.record({
  run: fc.nat(RUNS - 1),
  fact: fc.nat(facts.length - 1),
  byRun: fc.boolean(),
  endsBatch: fc.nat(5).map((drawn) => drawn === 0),
});

eachDatabase("facts recorded together", (open, kind) => {
  test("facts recorded together have the same effect as facts recorded one by one", async () => {
    const steps = fc.array(step, { minLength: 1, maxLength: 60, size: "max" });
    await fc.assert(
      fc.asyncProperty(steps, async (steps) => {
        const together = await outcome(open, steps);
        expect(together).toEqual(
          await outcome(
            open,
            steps.map((one) => ({ ...one, endsBatch: true })),
          ),
        );
      }),
      { numRuns: kind === "sqlite" ? 40 : 8 },
    );
  });
});

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

async function outcome(open: Open, steps: Step[]) {
  const database = await open();
  const context = contextOf(database);
  await submitted(context, RUNS / 2);
  await submitted(context, RUNS / 2, {}, { apiKey: "bob" });
  const claims = [];
  for (let run = 0; run < RUNS; run++) claims.push(await (run === 0 ? claimed(context) : live(context)));
  let batch: FactFor[] = [];
  for (const [index, { run, fact, byRun, endsBatch }] of steps.entries()) {
    const told = facts[fact]?.(run);
    const claim = claims[run];
    if (told === undefined || claim === undefined) throw new Error("no such fact or run");
    batch.push({ fact: told, ...(byRun ? { runId: claim.run.id } : { executionId: claim.execution.id }) });
    if (!endsBatch && index < steps.length - 1) continue;
    await database.store.write((tx) => applyFacts(context, tx, batch));
    batch = [];
  }
  return stateOf(database);
}

/** All that is kept. When it is next looked at depends on what the others taught meanwhile; that it is does not. */
async function stateOf({ store: { db } }: Database) {
  const executions = (await db.selectFrom("executions").selectAll().orderBy("id").execute()).map(
    // Each database has an instance of its own.
    ({ claimed_by, ...execution }) => ({ ...execution, isClaimed: claimed_by !== null }),
  );
  const events = await db.selectFrom("events").select(["type", "job_id", "run_id"]).orderBy("seq").execute();
  return {
    jobs: await db.selectFrom("jobs").selectAll().orderBy("id").execute(),
    runs: await db.selectFrom("runs").selectAll().orderBy("id").execute(),
    executions: executions.map(({ due_at, expected_end_at, ...rest }) => ({
      ...rest,
      isDue: due_at !== null,
    })),
    artifacts: await db.selectFrom("artifacts").selectAll().orderBy("execution_id").orderBy("kind").execute(),
    usage: await db.selectFrom("usage").selectAll().orderBy("api_key").execute(),
    missed: await db.selectFrom("counters").selectAll().where("name", "like", "callbacks.%").execute(),
    events: Map.groupBy(events, ({ job_id, run_id }) => run_id ?? job_id),
  };
}
