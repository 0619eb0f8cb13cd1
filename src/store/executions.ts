// Executions: load, save by compare-and-set, and claim what is due.
import { type Insertable, type Selectable, sql } from "kysely";
import type { Execution, Phase } from "../domain/execution.ts";
import type { Cancellation } from "../domain/run.ts";
import type { RunKind } from "../domain/spec.ts";
import { toCancellation } from "./runs.ts";
import type { ExecutionsTable } from "./schema.ts";
import { Conflict, type Db } from "./transaction.ts";

export async function findExecution(db: Db, id: string): Promise<Execution | null> {
  const row = await db.selectFrom("executions").selectAll().where("id", "=", id).executeTakeFirst();
  return row === undefined ? null : toExecution(row);
}

/** Executions of several runs, oldest attempt first. */
export async function listExecutions(db: Db, runIds: string[]): Promise<Execution[]> {
  if (runIds.length === 0) return [];
  const rows = await db
    .selectFrom("executions")
    .selectAll()
    .where("run_id", "in", runIds)
    .orderBy("run_id")
    .orderBy("attempt")
    .execute();
  return rows.map(toExecution);
}

export async function insertExecution(db: Db, execution: Execution): Promise<void> {
  await db.insertInto("executions").values(toRow(execution)).execute();
}

/** @throws Conflict when somebody saved it since it was loaded. */
export async function saveExecution(db: Db, execution: Execution): Promise<void> {
  const { id, run_id: _run, job_id: _job, ...columns } = toRow(execution);
  const result = await db
    .updateTable("executions")
    .set({ ...columns, version: execution.version + 1 })
    .where("id", "=", id)
    .where("version", "=", execution.version)
    .executeTakeFirst();
  if (result.numUpdatedRows === 0n) throw new Conflict(`execution ${id} has moved on`);
}

/** @throws Conflict when somebody saved it since it was loaded. */
export async function deleteExecution(db: Db, execution: Execution): Promise<void> {
  const result = await db
    .deleteFrom("executions")
    .where("id", "=", execution.id)
    .where("version", "=", execution.version)
    .executeTakeFirst();
  if (result.numDeletedRows === 0n) throw new Conflict(`execution ${execution.id} has moved on`);
}

export type DueGroup = "check" | "collect";

/**
 * Takes what is due, oldest first, by moving its wake-up to the end of a lease: if whoever took it dies, it
 * comes due again.
 */
export async function claimDue(
  db: Db,
  group: DueGroup,
  now: number,
  leaseUntil: number,
  limit: number,
): Promise<string[]> {
  const due = db
    .selectFrom("executions")
    .select("id")
    .where(phaseIn(group))
    .where("due_at", "<=", now)
    .orderBy("due_at")
    .limit(limit);
  const rows = await db
    .updateTable("executions")
    .set({ due_at: leaseUntil })
    .where("id", "in", due)
    .where("due_at", "<=", now)
    .returning("id")
    .execute();
  return rows.map((row) => row.id);
}

/**
 * Takes those, too, that would come due soon and that one look-up answers together with others: the live ones
 * without a callback, and the ones in doubt.
 */
export async function claimAlong(
  db: Db,
  horizon: number,
  leaseUntil: number,
  limit: number,
): Promise<string[]> {
  const soon = db
    .selectFrom("executions")
    .select("id")
    .where(phaseIn("check"))
    .where("due_at", "<=", horizon)
    .where("callback_at", "is", null)
    .where((eb) => eb.or([eb("phase", "<>", "submitting"), eb("in_doubt_at", "is not", null)]))
    .orderBy("due_at")
    .limit(limit);
  const rows = await db
    .updateTable("executions")
    .set({ due_at: leaseUntil })
    .where("id", "in", soon)
    .where("due_at", "<=", horizon)
    .returning("id")
    .execute();
  return rows.map((row) => row.id);
}

/** Gives back claims that nobody works on any more: due again at once. */
export async function handBack(db: Db, ids: string[], leases: number[], now: number): Promise<void> {
  if (ids.length === 0) return;
  await db
    .updateTable("executions")
    .set({ due_at: now })
    .where("id", "in", ids)
    .where("due_at", "in", leases)
    .execute();
}

/**
 * What came due while nothing ran is spread, oldest first, so that a restart does not stampede; the newest wake
 * after a bounded time all the same.
 * @param dueBefore counts as having come due.
 */
export async function spreadOverdue(db: Db, now: number, dueBefore = now): Promise<void> {
  await sql`
    update executions set due_at = ${now} + case when o.place * ${BETWEEN_OVERDUE_MS} < ${LONGEST_SPREAD_MS}
      then o.place * ${BETWEEN_OVERDUE_MS} else ${LONGEST_SPREAD_MS} end
    from (select id, row_number() over (order by due_at) - 1 as place
          from executions where phase <> 'closed' and due_at < ${dueBefore}) o
    where o.id = executions.id`.execute(db);
}

const BETWEEN_OVERDUE_MS = 20;
const LONGEST_SPREAD_MS = 60_000;

/** An execution that was claimed, with what its check needs to know of its run. */
export interface Due {
  execution: Execution;
  kind: RunKind;
  cancellation: Cancellation | null;
}

export async function loadDue(db: Db, ids: string[]): Promise<Due[]> {
  const rows = await db
    .selectFrom("executions")
    .innerJoin("runs", "runs.id", "executions.run_id")
    .selectAll("executions")
    .select(["runs.kind", "runs.cancel_mode", "runs.cancel_cause"])
    .where("executions.id", "in", ids)
    .execute();
  return rows.map((row) => ({
    execution: toExecution(row),
    kind: row.kind,
    cancellation: toCancellation(row),
  }));
}

/** When the group's next wake-up is, or null. */
export async function nextDueAt(db: Db, group: DueGroup): Promise<number | null> {
  const row = await db
    .selectFrom("executions")
    .select("due_at")
    .where(phaseIn(group))
    .where("due_at", "is not", null)
    .orderBy("due_at")
    .limit(1)
    .executeTakeFirst();
  return row?.due_at ?? null;
}

/** Start times of the newest submissions since then, oldest first: what the start limit has to remember. */
export async function submissionsSince(db: Db, since: number): Promise<number[]> {
  const rows = await db
    .selectFrom("executions")
    .select("submitted_at")
    .where("submitted_at", ">", since)
    .orderBy("submitted_at")
    .execute();
  return rows.map((row) => row.submitted_at);
}

/** Starts whose answer nobody waits for any more are looked at now. */
export async function hastenUnanswered(db: Db, now: number): Promise<void> {
  await db
    .updateTable("executions")
    .set({ due_at: now })
    .where(sql<boolean>`phase in ('submitting', 'watching', 'orphan')`)
    .where("phase", "=", "submitting")
    .where("in_doubt_at", "is", null)
    .execute();
}

// The phases stand as literals, as in the partial indexes: a bound parameter would not use them.
function phaseIn(group: DueGroup) {
  return group === "check"
    ? sql<boolean>`phase in ('submitting', 'watching', 'orphan')`
    : sql<boolean>`phase = 'collecting'`;
}

export function toExecution(row: Selectable<ExecutionsTable>): Execution {
  return {
    id: row.id,
    runId: row.run_id,
    jobId: row.job_id,
    attempt: row.attempt,
    phase: row.phase as Phase,
    status: row.status,
    rawStatus: row.raw_status,
    version: row.version,
    dueAt: row.due_at,
    lyceumExecutionId: row.lyceum_execution_id,
    submittedAt: row.submitted_at,
    acceptedAt: row.accepted_at,
    inDoubtAt: row.in_doubt_at,
    unseenMs: row.unseen_ms,
    lookedAt: row.looked_at,
    callbackAt: row.callback_at,
    expectedEndAt: row.expected_end_at,
    cancelSentAt: row.cancel_sent_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    detectedAt: row.detected_at,
    detectedBy: row.detected_by,
    timedOut: row.timed_out === 1,
    returnCode: row.return_code,
    cost: row.cost,
    costSource: row.cost_source,
    hardware: row.hardware,
    error: row.error,
  };
}

function toRow(execution: Execution): Insertable<ExecutionsTable> {
  return {
    id: execution.id,
    run_id: execution.runId,
    job_id: execution.jobId,
    attempt: execution.attempt,
    phase: execution.phase,
    status: execution.status,
    raw_status: execution.rawStatus,
    version: execution.version,
    due_at: execution.dueAt,
    lyceum_execution_id: execution.lyceumExecutionId,
    submitted_at: execution.submittedAt,
    accepted_at: execution.acceptedAt,
    in_doubt_at: execution.inDoubtAt,
    unseen_ms: execution.unseenMs,
    looked_at: execution.lookedAt,
    callback_at: execution.callbackAt,
    expected_end_at: execution.expectedEndAt,
    cancel_sent_at: execution.cancelSentAt,
    started_at: execution.startedAt,
    ended_at: execution.endedAt,
    detected_at: execution.detectedAt,
    detected_by: execution.detectedBy,
    timed_out: execution.timedOut ? 1 : 0,
    return_code: execution.returnCode,
    cost: execution.cost,
    cost_source: execution.costSource,
    hardware: execution.hardware,
    error: execution.error,
  };
}
