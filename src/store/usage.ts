// Spending by day, by key or by hardware, over a range of days.
import type { Db } from "./db/transaction.ts";

export interface UsageFilter {
  from: string;
  to: string;
  apiKey: string | null;
}

export type UsageGroup = "day" | "api_key" | "hardware";

export interface UsageRow {
  group: string;
  executions: number;
  durationMs: number;
  billedNano: number;
  estimatedNano: number;
  unpriced: number;
  /** GPU idle time; by hardware alone. */
  idleMs: number;
}

export async function readUsage(db: Db, by: UsageGroup, filter: UsageFilter): Promise<UsageRow[]> {
  // Both tables have the columns of `usage`.
  const table = (by === "hardware" ? "hardware_usage" : "usage") as "hardware_usage";
  let query = db
    .selectFrom(table)
    .select((eb) => [
      eb.ref(by).as("group"),
      eb.fn.sum<number>("executions").as("executions"),
      eb.fn.sum<number>("duration_ms").as("durationMs"),
      eb.fn.sum<number>("billed_nano").as("billedNano"),
      eb.fn.sum<number>("estimated_nano").as("estimatedNano"),
      eb.fn.sum<number>("unpriced").as("unpriced"),
      ...(by === "hardware" ? [eb.fn.sum<number>("idle_ms").as("idleMs")] : []),
    ])
    .where("day", ">=", filter.from)
    .where("day", "<=", filter.to);
  if (filter.apiKey !== null) query = query.where("api_key", "=", filter.apiKey);
  const rows = await query.groupBy(by).orderBy(by).execute();
  // PostgreSQL returns sums of bigints as text.
  return rows.map((row) => ({
    group: row.group,
    executions: Number(row.executions),
    durationMs: Number(row.durationMs),
    billedNano: Number(row.billedNano),
    estimatedNano: Number(row.estimatedNano),
    unpriced: Number(row.unpriced),
    idleMs: Number(row.idleMs ?? 0),
  }));
}
