// The CHECKs of the schema: whatever the code does, a row that contradicts the state machine is refused.
import { sql, type Updateable } from "kysely";
import { expect, test } from "vitest";
import { saveArtifacts } from "../../src/store/artifacts.ts";
import type { Schema } from "../../src/store/db/schema.ts";
import type { Store } from "../../src/store/store.ts";
import { type Database, eachDatabase } from "../support/databases.ts";
import { callBack, contextOf, live, submitted } from "../support/scene.ts";

/** Rows that no table may hold, by the name or the column of the CHECK that refuses them. */
const refused: { [T in keyof Schema]?: Record<string, Record<string, unknown>> } = {
  jobs: {
    "a status that is none": { status: "collecting" },
    "on_run_failure that is none": { on_run_failure: "stop" },
    "on_lost that is none": { on_lost: "ignore" },
    "cancel_mode that is none": { cancel_mode: "kill" },
    "cancel_cause that is none": { cancel_cause: "mood" },
    "fewer than no queued runs": { queued: -1, active: 2 },
    "fewer than no active runs": { active: -1, queued: 2 },
    "fewer than no collecting runs": { collecting: -1, queued: 2 },
    "counts that do not add up": { succeeded: 1 },
    "an end without a terminal status": { ended_at: 1 },
    "a terminal status without an end": { status: "cancelled" },
    "a deletion before the end": { deleted_at: 1 },
    "less than nothing billed": { billed_nano: -1 },
    "less than nothing estimated": { estimated_nano: -1 },
    "fewer than no unpriced executions": { unpriced: -1 },
    "a budget reached that was not set": { budget_reached_at: 1, ready_at: null },
    "readiness beyond the budget": { budget_reached_at: 1, budget_nano: 1 },
    "an erasure at no one's request": { deletion_due_at: 1 },
    "an idempotency key for any body": { idempotency_key: "k" },
  },
  runs: {
    "a kind that is none": { kind: "shell" },
    "a status that is none": { status: "pending", due_at: null },
    "cancel_mode that is none": { cancel_mode: "kill" },
    "cancel_cause that is none": { cancel_cause: "mood" },
    "a queued run without a wake-up": { due_at: null },
    "a wake-up of dispatch for a run that is not queued": { status: "active", execution_id: "exe_1" },
    "an end without a terminal status": { ended_at: 1 },
    "a terminal status without an end": { status: "failed", due_at: null },
    "an active run without an execution": { status: "active", due_at: null },
    "a collecting run without an execution": { status: "collecting", due_at: null },
    "success without an execution": { status: "succeeded", due_at: null, ended_at: 1 },
    "a run of no job": { job_id: "job_2" },
    "an outcome that is none": { outcome: "lost", status: "collecting", due_at: null, execution_id: "exe_1" },
    "an outcome of a queued run": { outcome: "failed" },
    "an outcome of an active run": {
      outcome: "failed",
      status: "active",
      due_at: null,
      execution_id: "exe_1",
    },
    "collecting without an outcome": { status: "collecting", due_at: null, execution_id: "exe_1" },
    "a terminal status without an outcome": { status: "failed", due_at: null, ended_at: 1 },
    "a terminal status other than the outcome": {
      status: "failed",
      outcome: "cancelled",
      due_at: null,
      ended_at: 1,
    },
  },
  executions: {
    "a phase that is none": { phase: "active" },
    "a status that is none": { phase: "closed", due_at: null, status: "succeeded" },
    "a cost_source that is none": { cost_source: "guessed", cost: 1 },
    "the source of no cost": { cost_source: "billed" },
    "a doubt that is none": { doubt: "some" },
    "detected_by that is none": { detected_by: "guess" },
    "an open execution without a wake-up": { due_at: null },
    "a wake-up for a closed execution": { phase: "closed", status: "completed" },
    "a watched execution that Lyceum does not know": { lyceum_execution_id: null },
    "collecting of what Lyceum does not know": {
      phase: "collecting",
      status: "completed",
      lyceum_execution_id: null,
    },
    "a watched execution that has ended": { status: "completed" },
    "submitting in status but not in phase": { status: "submitting" },
    "submitting in phase but not in status": { phase: "submitting" },
    "an orphan that is not lost": { phase: "orphan" },
    "an execution of no run": { run_id: "run_2" },
  },
  callbacks: {
    "a disposition that is none": { disposition: "rejected" },
    "a callback of no execution": { execution_id: "exe_2" },
  },
  artifacts: {
    "a kind that is none": { kind: "output" },
    "a state that is none": { state: "lost", due_at: null },
    "a pending artifact without a wake-up": { due_at: null },
    "a wake-up for one that is stored": { state: "stored" },
    "giving up without a reason": { state: "unavailable", due_at: null },
    "an artifact of no execution": { execution_id: "exe_2" },
  },
};

const tables = Object.keys(refused) as (keyof typeof refused)[];

eachDatabase("the schema", (open, kind) => {
  test.each(tables)("the schema refuses in %s what cannot be", async (table) => {
    const database = await open();
    const { store } = database;
    await insertGoodRows(database, table);
    const met = new Set<string>();
    for (const [what, change] of Object.entries(refused[table] ?? {})) {
      const update = store.db.updateTable(table).set(change as Updateable<Schema[typeof table]>);
      const error = await update.execute().then(
        () => ({ message: "nothing" }),
        (error: Error & { constraint?: string }) => error,
      );
      expect(error.message, `what ${table} says to ${what}`).toMatch(/constraint/i);
      if ("constraint" in error) met.add(error.constraint ?? "");
    }
    // PostgreSQL names the CHECK that refused, and so tells whether one was forgotten here.
    if (kind === "postgres") expect([...(await checksOf(store, table)).difference(met)]).toEqual([]);
  });

  test("the schema takes no two runs at one position, no job of an unknown key, no idempotency key twice", async () => {
    const { store, newId } = await open();
    const { db } = store;
    await submitted(contextOf({ store, newId }), 1, {}, { idempotencyKey: "k" });
    const run = await db.selectFrom("runs").selectAll().executeTakeFirstOrThrow();
    const twin = db.insertInto("runs").values({ ...run, id: "run_2" });
    await expect(twin.execute()).rejects.toThrow(/unique/i);
    await expect(db.updateTable("jobs").set({ api_key: "eve" }).execute()).rejects.toThrow(/foreign key/i);
    const job = await db.selectFrom("jobs").selectAll().executeTakeFirstOrThrow();
    const same = db.insertInto("jobs").values({ ...job, id: "job_2" });
    await expect(same.execute()).rejects.toThrow(/unique/i);
  });
});

async function checksOf({ db }: Store, table: string): Promise<Set<string>> {
  const { rows } = await sql<{ conname: string }>`select conname from pg_constraint
    where contype = 'c' and conrelid = ${table}::regclass`.execute(db);
  return new Set(rows.map((row) => row.conname));
}

/** One good row in the table, queued or live: what is refused then is refused for its one change. */
async function insertGoodRows(database: Database, table: keyof typeof refused): Promise<void> {
  const context = contextOf(database);
  const { db } = database.store;
  await submitted(context, 1);
  if (table === "jobs" || table === "runs") return;
  const { execution } = await live(context);
  const logs = { executionId: execution.id, kind: "logs", state: "pending", dueAt: 1, tries: 0 } as const;
  await saveArtifacts(db, [logs]);
  const body = Buffer.from("");
  await callBack(context, { executionId: execution.id, contentType: null, body, truncated: false });
}
