// What is due of the executions: claimed by a lease, handed back, spread after a restart.
import { type Selectable, sql } from "kysely";
import type { Execution } from "../domain/execution.ts";
import type { Cancellation } from "../domain/run.ts";
import type { RunKind } from "../domain/spec.ts";
import type { ExecutionsTable, RunsTable } from "./db/schema.ts";
import { isChosen, isSqlite, limitedStatement, statement, statementOn } from "./db/statements.ts";
import type { Db } from "./db/transaction.ts";
import { toExecution } from "./executions.ts";
import { toCancellation } from "./runs.ts";

export type DueKind = "check" | "collect";

/**
 * Takes what is due, oldest first, by moving its wake-up to the end of a lease: if whoever took it dies, it
 * comes due again.
 */
export async function claimDue(
  db: Db,
  group: DueKind,
  now: number,
  leaseUntil: number,
  limit: number,
  claimedBy: string | null = null,
): Promise<string[]> {
  const { rows } = await claim[group](db, { now, leaseUntil, claimedBy }, limit);
  return rows.map((row) => row.id);
}

const claim = {
  check: claimIn("check"),
  collect: claimIn("collect"),
};

function claimIn(group: DueKind) {
  return limitedStatement<{ now: number; leaseUntil: number; claimedBy: string | null }, { id: string }>(
    (db, { now, leaseUntil, claimedBy }, limit) => {
      const due = db
        .selectFrom("executions")
        .select("id")
        .where(phaseIn(group))
        .where("due_at", "<=", now)
        .orderBy("due_at")
        .limit(limit);
      return (
        db
          .updateTable("executions")
          .set({ due_at: leaseUntil, claimed_by: claimedBy })
          .where(isChosen(db, due))
          // Once more: whoever held its lock meanwhile may have changed it.
          .where(phaseIn(group))
          .where("due_at", "<=", now)
          .returning("id")
      );
    },
  );
}

/**
 * Takes those, too, that would come due soon and that one look-up answers together with others: the live ones
 * without a callback, and the ones in doubt.
 */
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
    .where(phaseIn("check"))
    .where("due_at", "<=", horizon)
    .where("callback_at", "is", null)
    .where((eb) => eb.or([eb("phase", "<>", "submitting"), eb("in_doubt_at", "is not", null)]))
    .orderBy("due_at")
    .limit(limit);
  const rows = await db
    .updateTable("executions")
    .set({ due_at: leaseUntil, claimed_by: claimedBy })
    .where(isChosen(db, soon))
    .where(phaseIn("check"))
    .where("due_at", "<=", horizon)
    .where("callback_at", "is", null)
    .returning("id")
    .execute();
  return rows.map((row) => row.id);
}

/** Gives back claims that nobody works on any more: due again at once. */
export async function release(db: Db, ids: string[], leases: number[], now: number): Promise<void> {
  if (ids.length === 0) return;
  await db
    .updateTable("executions")
    .set({ due_at: now })
    .where("id", "in", ids)
    .where("due_at", "in", leases)
    .execute();
}

/** These come due at this moment at the latest. */
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

/** Ends leases whose holder does not know what it holds: due now, except the executions that it does know of. */
export async function releaseLeases(
  db: Db,
  group: DueKind,
  leases: number[],
  known: string[],
  now: number,
  claimedBy: string | null = null,
): Promise<void> {
  let update = db
    .updateTable("executions")
    .set({ due_at: now })
    .where(phaseIn(group))
    .where("due_at", "in", leases)
    .where("claimed_by", "is not distinct from", claimedBy);
  if (known.length > 0) update = update.where("id", "not in", known);
  await update.execute();
}

/** Holds starts that are under way for longer. Others may have put them in doubt: those are left alone. */
export async function renewStarts(db: Db, ids: string[], leaseUntil: number): Promise<void> {
  if (ids.length === 0) return;
  await db
    .updateTable("executions")
    .set({ due_at: leaseUntil })
    .where("id", "in", ids)
    .where("phase", "=", "submitting")
    .where("in_doubt_at", "is", null)
    .execute();
}

/**
 * What is to be looked at after a start is spread, oldest first, so that a restart does not stampede; the newest wakes
 * after a bounded time all the same.
 * @param which all that is open; or only what no instance that is alive has claimed.
 */
export async function staggerChecks(db: Db, now: number, which: "open" | "unheld"): Promise<void> {
  const isAffected =
    which === "open"
      ? sql`phase <> 'closed'`
      : sql`phase <> 'closed' and (claimed_by is null or claimed_by not in (select id from instances))`;
  // Rows that another transaction holds are being worked on.
  const unlocked = isSqlite(db) ? sql`` : sql`for update skip locked`;
  await sql`
    with open as (select id, due_at from executions where ${isAffected} ${unlocked}),
    spread as (select id, row_number() over (order by due_at) - 1 as place from open)
    update executions set due_at = ${now} + case when spread.place * ${BETWEEN_LOOKS_MS} < ${MAX_SPREAD_MS}
      then spread.place * ${BETWEEN_LOOKS_MS} else ${MAX_SPREAD_MS} end
    from spread where spread.id = executions.id and executions.phase <> 'closed'`.execute(db);
}

const BETWEEN_LOOKS_MS = 20;
const MAX_SPREAD_MS = 60_000;

/** An execution that was claimed, with what its check needs to know of its run. */
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

const selectDue = statementOn<string, DueRow>((db, ids) =>
  db
    .selectFrom("executions")
    .innerJoin("runs", "runs.id", "executions.run_id")
    .selectAll("executions")
    .select(["runs.kind", "runs.cancel_mode", "runs.cancel_cause", "runs.timeout_s"])
    .where("executions.id", "in", ids),
);

/** When the group's next wake-up is, or null. */
export async function nextDueAt(db: Db, group: DueKind): Promise<number | null> {
  return (await next[group](db, {})).rows[0]?.due_at ?? null;
}

const next = {
  check: nextIn("check"),
  collect: nextIn("collect"),
};

function nextIn(group: DueKind) {
  return statement<Record<string, never>, { due_at: number | null }>((db) =>
    db
      .selectFrom("executions")
      .select("due_at")
      .where(phaseIn(group))
      .where("due_at", "is not", sql.lit(null))
      .orderBy("due_at")
      .limit(sql.lit(1)),
  );
}

/** Starts whose answer nobody waits for any more are looked at now. */
export async function expireUnansweredStarts(db: Db, now: number): Promise<void> {
  await db
    .updateTable("executions")
    .set({ due_at: now })
    .where(sql<boolean>`phase in ('submitting', 'watching', 'orphan')`)
    .where("phase", "=", "submitting")
    .where("in_doubt_at", "is", null)
    .execute();
}

// The phases stand as literals, as in the partial indexes: a bound parameter would not use them.
function phaseIn(group: DueKind) {
  return group === "check"
    ? sql<boolean>`phase in ('submitting', 'watching', 'orphan')`
    : sql<boolean>`phase = 'collecting'`;
}
