// Executions and runs in the database: saved by compare-and-set, claimed when due, each by one claimer.
import { expect, test } from "vitest";
import type { Execution } from "../../src/domain/execution.ts";
import { Conflict } from "../../src/store/db/transaction.ts";
import { claimDue, expireUnansweredStarts, nextDueAt } from "../../src/store/execution-claims.ts";
import { findExecution, saveExecutions, submissionsSince } from "../../src/store/executions.ts";
import { loadRuns, saveRuns } from "../../src/store/runs.ts";
import { type Database, eachDatabase, onPostgres } from "../support/databases.ts";
import { claimed, contextOf, ended, live, submitted, tell } from "../support/scene.ts";

eachDatabase("executions", (open) => {
  test("executions come back as they were saved", async () => {
    const database = await open();
    const { store } = database;
    const execution = await oneLive(database);
    const changed: Execution = {
      ...execution,
      status: "running",
      rawStatus: "RUNNING",
      dueAt: 7,
      unseenMs: 3,
      callbackAt: 2 ** 52,
      detectedBy: "poll",
      timedOut: true,
      returnCode: 4_294_967_295,
      cost: 0.123456789,
      hardware: "A100",
      error: "ünï\n",
    };
    await saveExecutions(store.db, [{ before: execution, after: changed }]);
    expect(await findExecution(store.db, execution.id)).toEqual({
      ...changed,
      version: execution.version + 1,
    });
    expect(await findExecution(store.db, "exe_none")).toBeNull();
  });

  test("executions are neither saved nor deleted by a transaction that loaded an older version", async () => {
    const database = await open();
    const { store } = database;
    const execution = await oneLive(database);
    const save = (dueAt: number) =>
      saveExecutions(store.db, [{ before: execution, after: { ...execution, dueAt } }]);
    await save(7);
    await expect(save(8)).rejects.toThrow(Conflict);
    const gone = [{ before: execution, after: null }];
    await expect(saveExecutions(store.db, gone)).rejects.toThrow(Conflict);
    expect((await findExecution(store.db, execution.id))?.dueAt).toBe(7);
    const { run } = (await loadRuns(store.db, [execution.runId]))[0] ?? never();
    await saveRuns(store.db, [{ before: run, after: run }]);
    await expect(saveRuns(store.db, [{ before: run, after: run }])).rejects.toThrow(Conflict);
  });

  test("executions are claimed when due, oldest first, no more than asked for, and not again within the lease", async () => {
    const database = await open();
    const { store } = database;
    const ids = await dueAt(database, [50, 10, 40, 20, 30]);
    const claim = (now: number, limit: number) => claimDue(store.db, "reconcile", now, now + 1_000, limit);
    expect(await nextDueAt(store.db, "reconcile")).toBe(10);
    expect(await claim(9, 9)).toEqual([]);
    expect(new Set(await claim(40, 2))).toEqual(new Set([ids[1], ids[3]]));
    expect(new Set(await claim(40, 9))).toEqual(new Set([ids[2], ids[4]]));
    expect(await claim(40, 9)).toEqual([]);
    expect(await nextDueAt(store.db, "reconcile")).toBe(50);
    // Nobody worked on them: the leases end.
    expect(new Set(await claim(1_040, 9))).toEqual(new Set(ids));
  });

  test("executions that collect are due apart from those to be checked", async () => {
    const database = await open();
    const { store } = database;
    const [id = ""] = await dueAt(database, [10, 20]);
    const execution = (await findExecution(store.db, id)) ?? never();
    await saveExecutions(store.db, [
      { before: execution, after: { ...execution, phase: "collecting", status: "completed" } },
    ]);
    expect(await nextDueAt(store.db, "collect")).toBe(10);
    expect(await claimDue(store.db, "collect", 99, 100, 9)).toEqual([id]);
    expect(await nextDueAt(store.db, "reconcile")).toBe(20);
    const closed = (await findExecution(store.db, id)) ?? never();
    await saveExecutions(store.db, [{ before: closed, after: { ...closed, phase: "closed", dueAt: null } }]);
    expect(await nextDueAt(store.db, "collect")).toBeNull();
  });

  test("executions whose answer nobody waits for are hastened, and no others", async () => {
    const database = await open();
    const { store, time } = database;
    const context = contextOf(database);
    await submitted(context, 4);
    const unanswered = await claimed(context);
    const doubtful = await claimed(context);
    await tell(context, doubtful.execution.id, { type: "outcome_unknown", detail: "reset" });
    const watched = await live(context);
    const others = [doubtful.execution.id, watched.execution.id];
    const before = await Promise.all(others.map((id) => findExecution(store.db, id)));
    time.pass(5_000);
    await expireUnansweredStarts(store.db, time.now());
    expect((await findExecution(store.db, unanswered.execution.id))?.dueAt).toBe(time.now());
    expect(await Promise.all(others.map((id) => findExecution(store.db, id)))).toEqual(before);
  });

  test("executions tell when starts were made, for the limit of the next process", async () => {
    const database = await open();
    const { store, time } = database;
    const context = contextOf(database);
    await submitted(context, 3);
    const times: number[] = [];
    for (let start = 0; start < 3; start++) {
      await ended(context, "completed");
      times.push(time.now());
      time.pass(1_000);
    }
    expect(await submissionsSince(store.db, 0)).toEqual(times);
    expect(await submissionsSince(store.db, times[0] ?? 0)).toEqual(times.slice(1));
  });
});

onPostgres("parallel claimers", (open) => {
  test("parallel claimers never claim one execution twice within its lease", async () => {
    const database = await open();
    const instances = [database.store, database.connect(), database.connect()];
    const ids = await dueAt(
      database,
      Array.from({ length: 60 }, (_, index) => index),
    );
    const claims: string[] = [];
    while (claims.length < ids.length) {
      const round = instances.flatMap((store) =>
        [0, 1].map(() => store.write((tx) => claimDue(tx.db, "reconcile", 100, 200, 7))),
      );
      for (const claim of await Promise.all(round)) claims.push(...claim);
    }
    expect(new Set(claims)).toEqual(new Set(ids));
    expect(claims).toHaveLength(ids.length);
  });
});

async function oneLive(database: Database): Promise<Execution> {
  const context = contextOf(database);
  await submitted(context, 1);
  const { execution } = await live(context);
  return (await findExecution(database.store.db, execution.id)) ?? never();
}

/** Watched executions with these wake-ups. */
async function dueAt(database: Database, moments: number[]): Promise<string[]> {
  const context = contextOf(database);
  await submitted(context, moments.length);
  const ids: string[] = [];
  for (const dueAt of moments) {
    const { execution } = await live(context);
    const saved = (await findExecution(database.store.db, execution.id)) ?? never();
    await saveExecutions(database.store.db, [{ before: saved, after: { ...saved, dueAt } }]);
    ids.push(execution.id);
  }
  return ids;
}

function never(): never {
  throw new Error("it must be there");
}
