// Claims beyond those of what is due: along with others, given back, and spread after a stop.
import { expect, test } from "vitest";
import type { Execution } from "../../src/domain/execution.ts";
import { applyFact } from "../../src/orchestration/apply-facts.ts";
import type { Db } from "../../src/store/db/transaction.ts";
import {
  claimDue,
  claimListable,
  loadDue,
  nextDueAt,
  release,
  staggerChecks,
} from "../../src/store/execution-claims.ts";
import { findExecution, listExecutions, saveExecutions } from "../../src/store/executions.ts";
import { type Database, eachDatabase, onPostgres } from "../support/databases.ts";
import { whileUncommitted } from "../support/locks.ts";
import { claimed, contextOf, live, read, submitted, tell } from "../support/scene.ts";

eachDatabase("claims", (open) => {
  test("a claim for the list takes executions that come due soon and that one look-up answers", async () => {
    const database = await open();
    const { db } = database.store;
    const context = contextOf(database);
    await submitted(context, 6);
    const inFlight = await claimed(context);
    const inDoubt = await claimed(context);
    await tell(context, inDoubt.execution.id, { type: "outcome_unknown", detail: "reset" });
    const soon = await live(context);
    const hinted = await live(context);
    const later = await live(context);
    const collecting = await live(context);
    await change(database, inFlight.execution.id, { dueAt: 50 });
    await change(database, inDoubt.execution.id, { dueAt: 50 });
    await change(database, soon.execution.id, { dueAt: 60 });
    await change(database, hinted.execution.id, { dueAt: 50, callbackAt: 40 });
    await change(database, later.execution.id, { dueAt: 101 });
    await change(database, collecting.execution.id, { dueAt: 50, phase: "collecting", status: "completed" });
    expect(await claimListable(db, 100, 500, 1)).toEqual([inDoubt.execution.id]);
    expect(await claimListable(db, 100, 500, 9)).toEqual([soon.execution.id]);
    expect(await claimListable(db, 100, 500, 9)).toEqual([]);
  });

  test("claims come with the run's kind and its cancellation", async () => {
    const database = await open();
    const { db } = database.store;
    const context = contextOf(database);
    await submitted(context, 1);
    const { run, execution } = await live(context);
    await tell(context, execution.id, { type: "cancel", cancellation: { mode: "stop", cause: "request" } });
    const [due] = await loadDue(db, [execution.id]);
    expect(due).toMatchObject({ kind: "python", cancellation: { mode: "stop", cause: "request" } });
    expect(due?.execution).toEqual(await findExecution(db, execution.id));
    expect(await listExecutions(db, [run.id])).toEqual([due?.execution]);
    expect(await listExecutions(db, [])).toEqual([]);
  });

  test("claims given back are due at once, except those that have their next wake-up already", async () => {
    const database = await open();
    const { db } = database.store;
    const context = contextOf(database);
    await submitted(context, 2);
    const ids = [(await live(context)).execution.id, (await live(context)).execution.id];
    const now = database.time.now() + 60_000;
    expect(await claimDue(db, "reconcile", now, now + 1_000, 9)).toHaveLength(2);
    await change(database, ids[0] ?? "", { dueAt: now + 700 });
    await release(db, ids, [now + 1_000], now + 10);
    expect((await findExecution(db, ids[0] ?? ""))?.dueAt).toBe(now + 700);
    expect((await findExecution(db, ids[1] ?? ""))?.dueAt).toBe(now + 10);
    await release(db, [], [], now);
  });

  test("claims are spread after a stop, oldest first: all that is open, or all that no living instance has claimed", async () => {
    const database = await open();
    const { db } = database.store;
    const context = contextOf(database);
    await submitted(context, 4);
    const starting = await claimed(context);
    const collecting = await live(context);
    const overdue = await claimed(context);
    const watched = await live(context);
    await change(database, starting.execution.id, { dueAt: 5_000 });
    await change(database, collecting.execution.id, {
      dueAt: 6_000,
      phase: "collecting",
      status: "completed",
    });
    await change(database, overdue.execution.id, { dueAt: 10 });
    await change(database, watched.execution.id, { dueAt: 7_000 });
    const executions = [starting, collecting, overdue, watched].map(({ execution }) => execution.id);
    const times = () => Promise.all(executions.map(async (id) => (await findExecution(db, id))?.dueAt));
    await claimedBy(database, starting.execution.id, "alive");
    await claimedBy(database, watched.execution.id, "dead");
    await db
      .insertInto("instances")
      .values({ id: "alive", version: "1", started_at: 0, beat_at: 0, clock_offset_ms: 0 })
      .execute();
    await staggerChecks(db, 1_000, "unheld");
    expect(await times()).toEqual([5_000, 1_020, 1_000, 1_040]);
    expect(await nextDueAt(db, "reconcile")).toBe(1_000);
    await staggerChecks(db, 2_000, "open");
    expect(await times()).toEqual([2_060, 2_020, 2_000, 2_040]);
  });
});

async function change({ store }: Database, id: string, changes: Partial<Execution>): Promise<void> {
  const execution = await findExecution(store.db, id);
  if (execution === null) throw new Error(`no execution ${id}`);
  await saveExecutions(store.db, [{ before: execution, after: { ...execution, ...changes } }]);
}

async function claimedBy({ store }: Database, id: string, instance: string): Promise<void> {
  await store.db.updateTable("executions").set({ claimed_by: instance }).where("id", "=", id).execute();
}

onPostgres("claims", (open) => {
  test("neither wait for a row that another transaction works on nor take it", async () => {
    const database = await open();
    const { store } = database;
    const context = contextOf(database);
    await submitted(context, 4);
    const other = database.connect();
    for (const claim of [claimDue, claimAlongAt]) {
      const locked = (await live(context)).execution;
      const free = (await live(context)).execution;
      const now = Math.max(locked.dueAt ?? 0, free.dueAt ?? 0);
      const claimed = await whileUncommitted(
        other,
        (tx) => applyFact(context, tx, { executionId: locked.id, fact: read("completed") }),
        () => store.write((tx) => claim(tx.db, "reconcile", now, now + 300_000, 9)),
      );
      expect(claimed).toEqual([free.id]);
      expect(await findExecution(store.db, locked.id)).toMatchObject({ phase: "collecting" });
      await tell(context, free.id, read("completed"));
    }
  });

  test("claims are not spread while another transaction closes them", async () => {
    const database = await open();
    const { store } = database;
    const context = contextOf(database);
    await submitted(context, 1);
    const { execution } = await live(context);
    await tell(context, execution.id, read("completed"));
    await whileUncommitted(
      database.connect(),
      (tx) => applyFact(context, tx, { executionId: execution.id, fact: { type: "collected" } }),
      () => store.write((tx) => staggerChecks(tx.db, tx.now, "unheld")),
    );
    expect(await findExecution(store.db, execution.id)).toMatchObject({ phase: "closed", dueAt: null });
  });

  const claimAlongAt = (db: Db, _: string, now: number, leaseUntil: number, limit: number) =>
    claimListable(db, now, leaseUntil, limit);
});
