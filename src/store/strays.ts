// Strays: executions at Lyceum of runs that the restored database does not have.
import type { Selectable } from "kysely";
import { durationMs, toNano } from "../domain/cost.ts";
import { insertRows } from "./db/rows.ts";
import type { StraysTable } from "./db/schema-service.ts";
import type { Db } from "./db/transaction.ts";
import type { UsageRow } from "./usage.ts";

type Spent = Omit<UsageRow, "group" | "idleMs">;

export type Stray = Selectable<StraysTable>;

export async function saveStrays(db: Db, strays: readonly Stray[]): Promise<void> {
  await insertRows(db, "strays", strays, "skip");
}

export async function updateStray(db: Db, stray: Stray): Promise<void> {
  await db.updateTable("strays").set(stray).where("execution_id", "=", stray.execution_id).execute();
}

/** Strays that are still alive, or whose cost is not known yet, the next one first. */
export async function openStrays(db: Db, limit: number): Promise<Stray[]> {
  return db
    .selectFrom("strays")
    .selectAll()
    .where("due_at", "is not", null)
    .orderBy("due_at")
    .limit(limit)
    .execute();
}

/** Newest first. @param before the last id of the page before */
export async function listStrays(db: Db, before: string | null, limit: number): Promise<Stray[]> {
  const query = db.selectFrom("strays").selectAll().orderBy("execution_id", "desc").limit(limit);
  return (before === null ? query : query.where("execution_id", "<", before)).execute();
}

export async function countStrays(db: Db): Promise<{ open: number; settled: number }> {
  const { open, all } = await db
    .selectFrom("strays")
    .select((eb) => [eb.fn.count("due_at").as("open"), eb.fn.countAll().as("all")])
    .executeTakeFirstOrThrow();
  return { open: Number(open), settled: Number(all) - Number(open) };
}

/** Spent by the strays that ended from `from` (inclusive) to `to` (exclusive), both epoch ms. */
export async function spentByStrays(db: Db, from: number, to: number): Promise<Spent> {
  const ended = await db
    .selectFrom("strays")
    .select(["started_at", "ended_at", "cost", "cost_source"])
    .where("ended_at", ">=", from)
    .where("ended_at", "<", to)
    .execute();
  const spent = { executions: ended.length, durationMs: 0, billedNano: 0, estimatedNano: 0, unpriced: 0 };
  for (const { started_at: startedAt, ended_at: endedAt, cost, cost_source: source } of ended) {
    spent.durationMs += durationMs({ startedAt, endedAt }) ?? 0;
    if (cost === null) spent.unpriced += 1;
    else spent[source === "billed" ? "billedNano" : "estimatedNano"] += toNano(cost);
  }
  return spent;
}
