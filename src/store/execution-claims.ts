// Due executions: claimed with a lease, released, spread out after a restart.
import { type Selectable, sql } from "kysely";
import type { Execution } from "../domain/execution.ts";
import type { Cancellation } from "../domain/run.ts";
import type { RunKind } from "../domain/spec.ts";
import type { ExecutionsTable, RunsTable } from "./db/schema.ts";
import { isChosen, isSqlite, statement, statementForRows, statementWithLimit } from "./db/statements.ts";
import type { Db, Tx } from "./db/transaction.ts";
import { toExecution } from "./executions.ts";
import { toCancellation } from "./run-rows.ts";

export type DueKind = "reconcile" | "collect";

/** Claims due executions, oldest first, by moving `due_at` to the end of a lease: a dead worker's row comes due again. */
export async function claimDue(
  db: Db,
  kind: DueKind,
  now: number,
  leaseUntil: number,
  limit: number,
  claimedBy: string | null = null,
): Promise<string[]> {
  const { rows } = await claim[kind](db, { now, leaseUntil, claimedBy }, limit);
  return rows.map((row) => row.id);
}

/**
 * Executions that a list cannot answer: a callback named them, their end is requested, their own record decides, or
 * nobody waits for their start any more.
 */
export async function claimNamed(
  db: Db,
  now: number,
  leaseUntil: number,
  limit: number,
  claimedBy: string | null = null,
): Promise<string[]> {
  const { rows } = await claim.named(db, { now, leaseUntil, claimedBy }, limit);
  return rows.map((row) => row.id);
}

const isNamed = sql<boolean>`(callback_at is not null or (phase = 'submitting' and in_doubt_at is null)
  or exists (select 1 from runs where runs.id = executions.run_id and (cancel_mode is not null or kind = 'gpu_selection')))`;

const claim = {
  named: claimIn("reconcile", isNamed),
  reconcile: claimIn("reconcile"),
  collect: claimIn("collect"),
};

function claimIn(kind: DueKind, isWanted = sql<boolean>`true`) {
  return statementWithLimit<{ now: number; leaseUntil: number; claimedBy: string | null }, { id: string }>(
    (db, { now, leaseUntil, claimedBy }, limit) => {
      const due = db
        .selectFrom("executions")
        .select("id")
        .where(phaseIn(kind))
        .where("due_at", "<=", now)
        .where(isWanted)
        .orderBy("due_at")
        .limit(limit);
      return (
        db
          .updateTable("executions")
          .set({ due_at: leaseUntil, claimed_by: claimedBy })
          .where(isChosen(db, due))
          // Repeated because the transaction that held the row's lock may have changed the row.
          .where(phaseIn(kind))
          .where("due_at", "<=", now)
          .returning("id")
      );
    },
  );
}

/** Executions that come due soon and that the next list poll answers along: alive without a callback, or in doubt. */
export async function claimListable(
  db: Db,
  horizon: number,
  leaseUntil: number,
  limit: number,
  claimedBy: string | null = null,
): Promise<string[]> {
  const soon = db
    .selectFrom("executions")
    .select("id")
    .where(phaseIn("reconcile"))
    .where("due_at", "<=", horizon)
    .where("callback_at", "is", null)
    .where((eb) => eb.or([eb("phase", "<>", "submitting"), eb("in_doubt_at", "is not", null)]))
    .orderBy("due_at")
    .limit(limit);
  const rows = await db
    .updateTable("executions")
    .set({ due_at: leaseUntil, claimed_by: claimedBy })
    .where(isChosen(db, soon))
    .where(phaseIn("reconcile"))
    .where("due_at", "<=", horizon)
    .where("callback_at", "is", null)
    .returning("id")
    .execute();
  return rows.map((row) => row.id);
}

export async function release(db: Db, ids: string[], leases: number[], now: number): Promise<void> {
  if (ids.length === 0) return;
  await db
    .updateTable("executions")
    .set({ due_at: now })
    .where("id", "in", ids)
    .where("due_at", "in", leases)
    .execute();
}

export async function hasten(db: Db, ids: string[], dueAt: number): Promise<void> {
  if (ids.length === 0) return;
  await db
    .updateTable("executions")
    .set({ due_at: dueAt })
    .where("id", "in", ids)
    .where("phase", "<>", "closed")
    .where("due_at", ">", dueAt)
    .execute();
}

/** The claim was never answered. The executions in `known` keep their leases. */
export async function releaseLeases(
  db: Db,
  kind: DueKind,
  leases: number[],
  known: string[],
  now: number,
  claimedBy: string | null = null,
): Promise<void> {
  let update = db
    .updateTable("executions")
    .set({ due_at: now })
    .where(phaseIn(kind))
    .where("due_at", "in", leases)
    .where("claimed_by", "is not distinct from", claimedBy);
  if (known.length > 0) update = update.where("id", "not in", known);
  await update.execute();
}

/** Extends the leases of starts under way. Starts that another instance put in doubt keep their wake-up. */
export async function renewStarts(
  { db, instance }: Pick<Tx, "db" | "instance">,
  ids: string[],
  leaseUntil: number,
): Promise<void> {
  if (ids.length === 0) return;
  await db
    .updateTable("executions")
    .set({ due_at: leaseUntil, claimed_by: instance })
    .where("id", "in", ids)
    .where("phase", "=", "submitting")
    .where("in_doubt_at", "is", null)
    .execute();
}

/**
 * Oldest first, within a bounded time, so that checks do not burst after a restart.
 * @param which all open executions, or only those that no live instance has claimed
 */
export async function staggerChecks(db: Db, now: number, which: "open" | "unheld"): Promise<void> {
  // In the words of two partial indexes: most executions are closed.
  const isOpen = sql`(phase in ('submitting', 'watching', 'orphan') and due_at is not null
    or phase = 'collecting' and due_at is not null)`;
  const isAffected =
    which === "open"
      ? isOpen
      : sql`${isOpen} and (claimed_by is null or claimed_by not in (select id from instances))`;
  // Rows that another transaction holds are being worked on.
  const unlocked = isSqlite(db) ? sql`` : sql`for update skip locked`;
  await sql`
    with open as (select id, due_at from executions where ${isAffected} ${unlocked}),
    spread as (select id, row_number() over (order by due_at) - 1 as position from open)
    update executions set due_at = ${now} + case when spread.position * ${BETWEEN_CHECKS_MS} < ${MAX_SPREAD_MS}
      then spread.position * ${BETWEEN_CHECKS_MS} else ${MAX_SPREAD_MS} end
    from spread where spread.id = executions.id and executions.phase <> 'closed'`.execute(db);
}

const BETWEEN_CHECKS_MS = 20;
const MAX_SPREAD_MS = 60_000;

export interface DueExecution {
  execution: Execution;
  kind: RunKind;
  cancellation: Cancellation | null;
  timeoutS: number;
}

export async function loadDue(db: Db, ids: string[]): Promise<DueExecution[]> {
  const rows = await selectDue(db, ids);
  return rows.map((row) => ({
    execution: toExecution(row),
    kind: row.kind,
    cancellation: toCancellation(row),
    timeoutS: row.timeout_s,
  }));
}

type DueRow = Selectable<ExecutionsTable> &
  Pick<Selectable<RunsTable>, "kind" | "cancel_mode" | "cancel_cause" | "timeout_s">;

const selectDue = statementForRows<string, DueRow>((db, ids) =>
  db
    .selectFrom("executions")
    .innerJoin("runs", "runs.id", "executions.run_id")
    .selectAll("executions")
    .select(["runs.kind", "runs.cancel_mode", "runs.cancel_cause", "runs.timeout_s"])
    .where("executions.id", "in", ids),
);

export async function nextDueAt(db: Db, kind: DueKind): Promise<number | null> {
  return (await next[kind](db, {})).rows[0]?.due_at ?? null;
}

const next = {
  reconcile: nextIn("reconcile"),
  collect: nextIn("collect"),
};

function nextIn(kind: DueKind) {
  return statement<Record<string, never>, { due_at: number | null }>((db) =>
    db
      .selectFrom("executions")
      .select("due_at")
      .where(phaseIn(kind))
      .where("due_at", "is not", sql.lit(null))
      .orderBy("due_at")
      .limit(sql.lit(1)),
  );
}

export async function expireUnansweredStarts(db: Db, now: number): Promise<void> {
  await db
    .updateTable("executions")
    .set({ due_at: now })
    .where(sql<boolean>`phase in ('submitting', 'watching', 'orphan')`)
    .where("phase", "=", "submitting")
    .where("in_doubt_at", "is", null)
    .execute();
}

// Literals, because a bound parameter would not use the partial indexes.
function phaseIn(kind: DueKind) {
  return kind === "reconcile"
    ? sql<boolean>`phase in ('submitting', 'watching', 'orphan')`
    : sql<boolean>`phase = 'collecting'`;
}
