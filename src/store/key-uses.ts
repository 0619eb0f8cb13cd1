// The use of API keys: what they spent and submitted in their present windows.
import type { Db } from "./db/transaction.ts";

export interface KeyUse {
  name: string;
  budgetNano: number | null;
  budgetWindowMs: number | null;
  windowStartedAt: number | null;
  windowSpentNano: number | null;
  heldUntil: number | null;
  quotaStartedAt: number | null;
  quotaUsed: number | null;
}

/** Keys that never submitted anything are left out, unless they have a budget. */
export function readKeyUses(db: Db): Promise<KeyUse[]> {
  return db
    .selectFrom("api_keys")
    .select(["name", "budget_nano as budgetNano", "budget_window_ms as budgetWindowMs"])
    .select(["window_started_at as windowStartedAt", "window_spent_nano as windowSpentNano"])
    .select(["held_until as heldUntil", "quota_started_at as quotaStartedAt", "quota_used as quotaUsed"])
    .execute();
}
