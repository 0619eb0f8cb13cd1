// Spending by day or by key, over a range of days.
import type { Db } from "./db/transaction.ts";

export interface UsageFilter {
  /** Days, both inclusive. */
  from: string;
  to: string;
  /** Null reads all keys. */
  apiKey: string | null;
}

export interface UsageRow {
  /** The day or the key's name. */
  group: string;
  executions: number;
  durationMs: number;
  billedNano: number;
  estimatedNano: number;
  unpriced: number;
}

export async function readUsage(db: Db, by: "day" | "api_key", filter: UsageFilter): Promise<UsageRow[]> {
  let query = db
    .selectFrom("usage")
    .select((eb) => [
      eb.ref(by).as("group"),
      eb.fn.sum<number>("executions").as("executions"),
      eb.fn.sum<number>("duration_ms").as("durationMs"),
      eb.fn.sum<number>("billed_nano").as("billedNano"),
      eb.fn.sum<number>("estimated_nano").as("estimatedNano"),
      eb.fn.sum<number>("unpriced").as("unpriced"),
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
  }));
}
