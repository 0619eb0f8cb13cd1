// The work left by a restore: the mark that it sets, and starts that were found for known runs.
import type { FoundStart } from "../domain/found-starts.ts";
import type { RunStatus } from "../domain/run.ts";
import { insertRows } from "./db/rows.ts";
import type { Db } from "./db/transaction.ts";

const MARK = "restored.since";

/** Null unless the database was restored and the starts since then have not been searched for. */
export async function readRestored(db: Db): Promise<number | null> {
  const row = await db.selectFrom("counters").select("value").where("name", "=", MARK).executeTakeFirst();
  return row?.value ?? null;
}

/** Returns the time since which starts will be searched for. A later restore must not hide an earlier mark. */
export async function markRestored(db: Db): Promise<number> {
  const since = Math.min(await lastKnownAt(db), (await readRestored(db)) ?? Number.POSITIVE_INFINITY);
  await db
    .insertInto("counters")
    .values({ name: MARK, value: since })
    .onConflict((c) => c.column("name").doUpdateSet({ value: since }))
    .execute();
  return since;
}

export async function clearRestored(db: Db, since: number): Promise<void> {
  await db.deleteFrom("counters").where("name", "=", MARK).where("value", "=", since).execute();
}

/** Each start writes events. 0 without any. */
async function lastKnownAt(db: Db): Promise<number> {
  const event = await db
    .selectFrom("events")
    .select("created_at")
    .orderBy("seq", "desc")
    .limit(1)
    .executeTakeFirst();
  return event?.created_at ?? 0;
}

export async function unknownExecutions(db: Db, ids: readonly string[]): Promise<Set<string>> {
  const unknown = new Set(ids);
  for (let at = 0; at < ids.length; at += PAGE) {
    const page = ids.slice(at, at + PAGE);
    const rows = await db.selectFrom("executions").select("id").where("id", "in", page).execute();
    for (const { id } of rows) unknown.delete(id);
  }
  return unknown;
}

export interface OpenRun {
  id: string;
  attempt: number;
  status: RunStatus;
}

export async function openRuns(db: Db, after: string): Promise<OpenRun[]> {
  return db
    .selectFrom("runs")
    .select(["id", "attempt", "status"])
    .where("id", ">", after)
    .where("status", "in", ["queued", "active"])
    .orderBy("id")
    .limit(PAGE)
    .execute();
}

const PAGE = 500;

export async function saveFoundStarts(db: Db, starts: readonly FoundStart[]): Promise<void> {
  await insertRows(db, "found_starts", starts.map(toRow), "skip");
}

function toRow({ executionId, runId, attempt, lyceumExecutionId, rawStatus }: FoundStart) {
  const lyceum = { lyceum_execution_id: lyceumExecutionId, raw_status: rawStatus };
  return { execution_id: executionId, run_id: runId, attempt, ...lyceum };
}

export async function listFoundStarts(db: Db): Promise<FoundStart[]> {
  const rows = await db.selectFrom("found_starts").selectAll().execute();
  return rows.map((row) => ({
    executionId: row.execution_id,
    runId: row.run_id,
    attempt: row.attempt,
    lyceumExecutionId: row.lyceum_execution_id,
    rawStatus: row.raw_status,
  }));
}
