// What was spent, and what hardware costs.
import * as operations from "../../contract/operations/service.ts";
import { usageQuery } from "../../contract/query.ts";
import type { MachineTypesView, SpentView, UsageView } from "../../contract/usage.ts";
import { dayOf } from "../../domain/cost.ts";
import { listMachineTypes } from "../../store/machine-types.ts";
import { readUsage, type UsageRow } from "../../store/usage.ts";
import { ownerSeenBy } from "../auth.ts";
import { invalid } from "../problem.ts";
import type { AppContext, RequestContext } from "../request-context.ts";
import { callerOf, queryOf, type Route } from "../route.ts";
import { iso, viewCost } from "../views/view.ts";

export const usageRoutes: Route[] = [
  { method: "GET", path: "/v1/usage", access: "read", operation: operations.getUsage, handle: getUsage },
  {
    method: "GET",
    path: "/v1/machine-types",
    access: "read",
    operation: operations.getMachineTypes,
    handle: getMachineTypes,
  },
];

/** By day (UTC) or by key; submitters see their own key alone. Without days: the last 30. */
async function getUsage(c: RequestContext, desk: AppContext): Promise<Response> {
  const query = queryOf(c, usageQuery);
  if (!query.ok) return invalid(c, query.errors);
  const { group, key } = query.value;
  const to = query.value.to ?? dayOf(desk.now());
  const from = query.value.from ?? dayOf(Date.parse(to) - 29 * DAY_MS);
  const spanDays = (Date.parse(to) - Date.parse(from)) / DAY_MS;
  if (spanDays < 0 || spanDays >= MAX_DAYS) {
    const detail = `must be up to ${MAX_DAYS} days from the first to the last`;
    return invalid(c, [{ pointer: "query:from", detail }]);
  }
  const owner = ownerSeenBy(callerOf(c));
  const apiKey = owner ?? key ?? null;
  // Another key's is as if there were none.
  const isForeign = owner !== null && key !== undefined && key !== owner;
  const filter = { from, to, apiKey };
  const rows = isForeign ? [] : await readUsage(desk.store.db, group === "day" ? "day" : "api_key", filter);
  const data = rows.map((row) => ({ [group]: row.group, ...viewUsage(row) }));
  const view: UsageView = { from, to, data, next_cursor: null, total: viewUsage(sumOf(rows)) };
  return c.json(view);
}

const DAY_MS = 86_400_000;
const MAX_DAYS = 366;

function viewUsage(row: Omit<UsageRow, "group">): SpentView {
  return { executions: row.executions, duration_ms: row.durationMs, cost: viewCost(row) };
}

function sumOf(rows: UsageRow[]): Omit<UsageRow, "group"> {
  const add = (name: Exclude<keyof UsageRow, "group">) => rows.reduce((sum, row) => sum + row[name], 0);
  return {
    executions: add("executions"),
    durationMs: add("durationMs"),
    billedNano: add("billedNano"),
    estimatedNano: add("estimatedNano"),
    unpriced: add("unpriced"),
  };
}

/** As Lyceum last told; `fetched_at` is null while it has not. */
async function getMachineTypes(c: RequestContext, desk: AppContext): Promise<Response> {
  const types = await listMachineTypes(desk.store.db);
  const data = types.map((type) => ({
    hardware_profile: type.hardware_profile,
    price_per_hour: type.price_per_hour,
    available: type.available === null ? null : type.available === 1,
  }));
  const fetchedAt = iso(types[0]?.fetched_at ?? null);
  return c.json({ data, next_cursor: null, fetched_at: fetchedAt } satisfies MachineTypesView);
}
