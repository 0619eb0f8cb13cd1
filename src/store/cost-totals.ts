// Cost totals per day and key. The transaction that records a cost adds it here; nothing is summed up later.
import { type RawBuilder, type Selectable, sql } from "kysely";
import { type Tally, toNano } from "../domain/cost.ts";
import { windowStart } from "../domain/key-quota.ts";
import type { ApiKeysTable } from "./db/schema.ts";
import { statement } from "./db/statements.ts";
import type { Db } from "./db/transaction.ts";

export async function addUsage(db: Db, day: string, apiKey: string, tally: Tally): Promise<void> {
  await upsertUsage(db, { day, apiKey, ...tally });
}

type Spent = Tally & { day: string; apiKey: string };

const upsertUsage = statement<Spent, never>((db, usage) =>
  db
    .insertInto("usage")
    .values(columnsOf(usage))
    .onConflict((c) => c.columns(["day", "api_key"]).doUpdateSet(sums("usage"))),
);

/** @param idleMs the part of the duration in which a GPU was idle */
export async function addHardwareUsage(
  db: Db,
  usage: Spent & { hardware: string; idleMs: number },
): Promise<void> {
  await upsertHardwareUsage(db, usage);
}

const upsertHardwareUsage = statement<Spent & { hardware: string; idleMs: number }, never>((db, usage) =>
  db
    .insertInto("hardware_usage")
    .values({ ...columnsOf(usage), hardware: usage.hardware, idle_ms: usage.idleMs })
    .onConflict((c) =>
      c.columns(["day", "api_key", "hardware"]).doUpdateSet({
        ...sums("hardware_usage"),
        idle_ms: plus("hardware_usage", "idle_ms"),
      }),
    ),
);

function columnsOf(usage: { readonly [K in keyof Spent]: RawBuilder<Spent[K]> }) {
  return {
    day: usage.day,
    api_key: usage.apiKey,
    executions: usage.executions,
    duration_ms: usage.durationMs,
    billed_nano: usage.billedNano,
    estimated_nano: usage.estimatedNano,
    unpriced: usage.unpriced,
  };
}

function sums(table: string) {
  return {
    executions: plus(table, "executions"),
    duration_ms: plus(table, "duration_ms"),
    billed_nano: plus(table, "billed_nano"),
    estimated_nano: plus(table, "estimated_nano"),
    unpriced: plus(table, "unpriced"),
  };
}

function plus(table: string, column: string) {
  return sql<number>`${sql.ref(`${table}.${column}`)} + ${sql.ref(`excluded.${column}`)}`;
}

/** Returns until when the key is held; undefined if that did not change. A key without a budget is never held. */
export async function addToKey(
  db: Db,
  name: string,
  at: number,
  tally: Tally,
): Promise<{ heldUntil: number | null } | undefined> {
  const [row] = (await selectBudget(db, { name })).rows;
  if (row?.budget_nano == null || row.budget_window_ms === null) return undefined;
  const startedAt = windowStart(at, row.budget_window_ms);
  const key = await db
    .updateTable("api_keys")
    .set({
      window_spent_nano: sql<number>`${tally.billedNano + tally.estimatedNano} +
        case when window_started_at = ${startedAt} then window_spent_nano else 0 end`,
      window_started_at: startedAt,
    })
    .where("name", "=", name)
    // A cost of an earlier window cannot hold the key any more.
    .where((eb) => eb.or([eb("window_started_at", "is", null), eb("window_started_at", "<=", startedAt)]))
    .returning(["window_spent_nano", "held_until"])
    .executeTakeFirst();
  if (key === undefined) return undefined;
  const isSpent = (key.window_spent_nano ?? 0) >= row.budget_nano;
  const heldUntil = isSpent ? startedAt + row.budget_window_ms : null;
  if (heldUntil === key.held_until) return undefined;
  await db.updateTable("api_keys").set({ held_until: heldUntil }).where("name", "=", name).execute();
  return { heldUntil };
}

const selectBudget = statement<
  { name: string },
  Pick<Selectable<ApiKeysTable>, "budget_nano" | "budget_window_ms">
>((db, { name }) =>
  db.selectFrom("api_keys").select(["budget_nano", "budget_window_ms"]).where("name", "=", name),
);

/** A key may spend `amount` credits per window. Windows are counted from 1970-01-01 UTC. */
export interface KeyBudget {
  name: string;
  amount: number;
  windowMs: number;
}

/** Replaces the budgets of all keys. Costs of the current windows stay counted. */
export async function applyKeyBudgets(db: Db, budgets: readonly KeyBudget[], now: number): Promise<void> {
  const names = budgets.map(({ name }) => name);
  let withoutBudget = db
    .updateTable("api_keys")
    .set({ budget_nano: null, budget_window_ms: null, held_until: null })
    .where("budget_nano", "is not", null);
  if (names.length > 0) withoutBudget = withoutBudget.where("name", "not in", names);
  await withoutBudget.execute();
  for (const { name, amount, windowMs } of budgets) {
    const startedAt = windowStart(now, windowMs);
    // Lock the key before reading: another process may still add costs.
    await db
      .insertInto("api_keys")
      .values({ name, last_served_seq: 0 })
      .onConflict((c) =>
        c.column("name").doUpdateSet(({ ref }) => ({ last_served_seq: ref("api_keys.last_served_seq") })),
      )
      .execute();
    const spent = await spentSince(db, name, startedAt);
    const columns = {
      budget_nano: toNano(amount),
      budget_window_ms: windowMs,
      window_started_at: startedAt,
      window_spent_nano: spent,
      held_until: spent >= toNano(amount) ? startedAt + windowMs : null,
    };
    await db.updateTable("api_keys").set(columns).where("name", "=", name).execute();
  }
}

/** The stored sum of this window, or else the sum of the executions that are still stored. */
async function spentSince(db: Db, name: string, startedAt: number): Promise<number> {
  const key = await db
    .selectFrom("api_keys")
    .select("window_spent_nano")
    .where("name", "=", name)
    .where("window_started_at", "=", startedAt)
    .executeTakeFirst();
  if (key?.window_spent_nano != null) return key.window_spent_nano;
  const rows = await db
    .selectFrom("executions")
    .innerJoin("jobs", "jobs.id", "executions.job_id")
    .select("executions.cost")
    .where("jobs.api_key", "=", name)
    .where("executions.detected_at", ">=", startedAt)
    .where("executions.cost", "is not", null)
    .execute();
  return rows.reduce((sum, { cost }) => sum + toNano(cost ?? 0), 0);
}
