// Submitting a job: all of it is durable at once, and an idempotency key makes it once, whatever happens between.
import { expect, test } from "vitest";
import { submit } from "../../src/orchestration/submit-job.ts";
import { readCounters } from "../../src/store/counters.ts";
import type { Topic } from "../../src/store/db/transaction.ts";
import { listRuns } from "../../src/store/runs.ts";
import { eachDatabase, onPostgres } from "../support/databases.ts";
import { whileUncommitted } from "../support/locks.ts";
import { claimed, contextOf, jobNow, sender, spec, submission, submitted } from "../support/scene.ts";

eachDatabase("submitting", (open) => {
  test("submitting writes the job, its runs in order, their events and the wake-ups in one go", async () => {
    const database = await open();
    const { store, time } = database;
    const woken: [Topic, number][] = [];
    store.onCommit((topic, dueAt) => void woken.push([topic, dueAt]));
    const names = ["a", "b", "c"];
    const job = await submitted(contextOf(database), 0, {
      name: "sweep",
      runs: names.map((name) => ({ spec: { ...spec, name }, matrix: { LR: [name] } })),
      metadata: { any: ["json", null] },
      deadlineS: 60,
      retry: { maxAttempts: 3, on: ["lost"] },
    });
    const now = time.now();
    expect(await jobNow(store, job.id)).toEqual(job);
    expect(job).toMatchObject({ status: "queued", total: 3, queued: 3, ready_at: now, due_at: now + 60_000 });
    expect(JSON.parse(job.metadata ?? "")).toEqual({ any: ["json", null] });
    const runs = await listRuns(store.db, job.id, -1, 9);
    expect(runs.map((run) => [run.position, run.name, run.matrix])).toEqual(
      names.map((name, position) => [position, name, JSON.stringify({ LR: name })]),
    );
    const events = await store.db.selectFrom("events").selectAll().orderBy("seq").execute();
    expect(events.map((event) => [event.type, event.run_id])).toEqual([
      ["job.created", null],
      ...runs.map((run) => ["run.queued", run.id]),
    ]);
    expect(new Set(woken.map(([topic]) => topic))).toEqual(new Set(["dispatch", "enforce-limits", "events"]));
  });

  test("submitting takes 10,000 runs", async () => {
    const database = await open();
    const job = await submitted(contextOf(database), 10_000);
    expect(await listRuns(database.store.db, job.id, 9_997, 9)).toHaveLength(2);
    expect(await readCounters(database.store.db, "events")).toEqual({ "": 10_001 });
  });

  test("submitting with the same key and body again answers with the same job, as it is by then", async () => {
    const database = await open();
    const context = contextOf(database);
    const from = { ...sender, idempotencyKey: "k" };
    const first = await submit(context, from, submission(2));
    await claimed(context);
    const again = await submit(context, from, submission(2));
    if (first.outcome !== "created" || again.outcome !== "replayed")
      throw new Error(`${first.outcome}, ${again.outcome}`);
    expect(again.job).toMatchObject({ id: first.job.id, status: "active", active: 1 });
    expect(await countJobs(database.store)).toBe(1);
  });

  test("submitting with the same key and another body is a mismatch and makes nothing", async () => {
    const database = await open();
    const context = contextOf(database);
    await submit(context, { ...sender, idempotencyKey: "k" }, submission(1));
    const other = await submit(context, { ...sender, idempotencyKey: "k", body: "[]" }, submission(1));
    expect(other).toEqual({ outcome: "mismatch" });
    expect(await countJobs(database.store)).toBe(1);
  });

  test("submitting replays across a restart", async () => {
    const database = await open();
    const from = { idempotencyKey: "k" };
    const job = await submitted(contextOf(database), 1, {}, from);
    await database.store.close();
    const store = database.connect();
    expect((await submitted(contextOf({ ...database, store }), 1, {}, from)).id).toBe(job.id);
  });

  test("submitting keeps apart the keys of different senders, and submissions without one", async () => {
    const database = await open();
    const context = contextOf(database);
    await submitted(context, 1, {}, { idempotencyKey: "k", apiKey: "ann" });
    await submitted(context, 1, {}, { idempotencyKey: "k", apiKey: "bob" });
    await submitted(context, 1);
    await submitted(context, 1);
    expect(await countJobs(database.store)).toBe(4);
  });

  test("submitting with one key from many sides at once makes exactly one job", async () => {
    const database = await open();
    const stores =
      database.target.kind === "sqlite" ? [database.store] : [database.store, database.connect()];
    const contexts = stores.map((store) => contextOf({ ...database, store }));
    const from = { ...sender, idempotencyKey: "k" };
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, index) => contexts[index % contexts.length] ?? contextOf(database)).map(
        (context) => submit(context, from, submission(3)),
      ),
    );
    expect(answers.filter((answer) => answer.outcome === "created")).toHaveLength(1);
    expect(answers.filter((answer) => answer.outcome === "replayed")).toHaveLength(15);
    expect(await countJobs(database.store)).toBe(1);
    expect(await readCounters(database.store.db, "events")).toEqual({ "": 4 });
  });
});

onPostgres("submitting", (open) => {
  test("does not wait for another instance that starts a run of the same key", async () => {
    const database = await open();
    const context = contextOf(database);
    await submitted(context, 1);
    await whileUncommitted(
      database.connect(),
      ({ db }) => db.updateTable("api_keys").set({ last_served_seq: 9 }).where("name", "=", "ann").execute(),
      () => submitted(context, 1),
    );
    expect(await countJobs(database.store)).toBe(2);
  });
});

async function countJobs({ db }: ReturnType<typeof contextOf>["store"]): Promise<number> {
  return (await db.selectFrom("jobs").select("id").execute()).length;
}
