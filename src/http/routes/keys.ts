// API keys: their roles, budgets and quotas. The keys themselves are in no answer.
import * as operations from "../../contract/operations/service.ts";
import type { ApiKeysView, ApiKeyView } from "../../contract/settings.ts";
import { toCredits } from "../../domain/cost.ts";
import { type KeyQuota, windowStart } from "../../domain/key-quota.ts";
import { type KeyUse, readKeyUses } from "../../store/key-uses.ts";
import { type Caller, ownerSeenBy } from "../auth.ts";
import { callerOf } from "../read-request.ts";
import { type Input, type Route, route } from "../route.ts";

export const keyRoutes: Route[] = [
  route({
    method: "GET",
    path: "/v1/keys",
    access: "read",
    operation: operations.listKeys,
    handle: getKeys,
  }),
];

async function getKeys({ c, context }: Input<typeof operations.listKeys>) {
  const owner = ownerSeenBy(callerOf(c));
  const uses = new Map((await readKeyUses(context.store.db)).map((use) => [use.name, use]));
  const data = context.keys.callers
    .filter(({ name }) => owner === null || name === owner)
    .map((key) => viewKey(key, uses.get(key.name), context.quotas.get(key.name), context.now()));
  return c.json({ data, next_cursor: null } satisfies ApiKeysView);
}

function viewKey(
  { name, role }: Caller,
  use: KeyUse | undefined,
  quota: KeyQuota | undefined,
  now: number,
): ApiKeyView {
  return {
    name,
    role,
    budget: use === undefined ? null : viewBudget(use, now),
    quota: quota === undefined ? null : viewQuota(quota, use, now),
  };
}

function viewBudget(use: KeyUse, now: number): ApiKeyView["budget"] {
  const { budgetNano, budgetWindowMs, windowStartedAt, windowSpentNano, heldUntil } = use;
  if (budgetNano === null || budgetWindowMs === null) return null;
  const { startedAt, view } = viewWindow(budgetWindowMs, now);
  const spent = windowStartedAt === startedAt ? (windowSpentNano ?? 0) : 0;
  return {
    ...view,
    limit: toCredits(budgetNano),
    spent: toCredits(spent),
    reached: heldUntil !== null && heldUntil > now,
  };
}

function viewQuota(
  { runs, windowMs, waiting }: KeyQuota,
  use: KeyUse | undefined,
  now: number,
): ApiKeyView["quota"] {
  const { startedAt, view } = viewWindow(windowMs, now);
  const used = use !== undefined && (use.quotaStartedAt ?? 0) >= startedAt ? (use.quotaUsed ?? 0) : 0;
  return { ...view, limit: runs, used, max_waiting: waiting };
}

function viewWindow(windowMs: number, now: number) {
  const startedAt = windowStart(now, windowMs);
  return {
    startedAt,
    view: { window_ms: windowMs, resets_at: new Date(startedAt + windowMs).toISOString() },
  };
}
