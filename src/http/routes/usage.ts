// Usage by day, key or hardware, and Lyceum's machine types with prices.
import * as operations from "../../contract/operations/service.ts";
import type { MachineTypesView, SpentView, UsageView } from "../../contract/usage.ts";
import { dayOf } from "../../domain/cost.ts";
import { listMachineTypes } from "../../store/machine-types.ts";
import { spentByStrays } from "../../store/strays.ts";
import { readUsage, type UsageRow } from "../../store/usage.ts";
import { ownerSeenBy } from "../auth.ts";
import { invalid } from "../problem.ts";
import { callerOf } from "../read-request.ts";
import { type Input, type Route, route } from "../route.ts";
import { iso, viewCost } from "../views/view.ts";

export const usageRoutes: Route[] = [
  route({
    method: "GET",
    path: "/v1/usage",
    access: "read",
    operation: operations.getUsage,
    handle: getUsage,
  }),
  route({
    method: "GET",
    path: "/v1/machine-types",
    access: "read",
    operation: operations.getMachineTypes,
    handle: getMachineTypes,
  }),
];

/** Submitters see only their own key. Default: the last 30 days. */
async function getUsage({ c, context, query }: Input<typeof operations.getUsage>) {
  const { group, key } = query;
  const to = query.to ?? dayOf(context.now());
  const from = query.from ?? dayOf(Date.parse(to) - 29 * DAY_MS);
  const spanDays = (Date.parse(to) - Date.parse(from)) / DAY_MS;
  if (spanDays < 0 || spanDays >= MAX_DAYS) {
    const detail = `must be at most ${MAX_DAYS} days before the last day, and not after it`;
    return invalid(c, [{ pointer: "query:from", detail }]);
  }
  const owner = ownerSeenBy(callerOf(c));
  const apiKey = owner ?? key ?? null;
  // The usage of another key is empty.
  const isForeign = owner !== null && key !== undefined && key !== owner;
  const filter = { from, to, apiKey };
  const rows = isForeign ? [] : await readUsage(context.store.db, columns[group], filter);
  // Costs that counted under the requested hardware may have moved to the hardware that Lyceum named.
  const data = rows
    .filter(({ executions }) => executions > 0)
    .map((row) => ({ ...nameOf(group, row), ...viewUsage(row) }));
  const strays =
    apiKey === null ? await spentByStrays(context.store.db, Date.parse(from), Date.parse(to) + DAY_MS) : null;
  const view: UsageView = {
    from,
    to,
    data,
    next_cursor: null,
    total: viewUsage(sumOf(rows)),
    strays: strays && viewUsage(strays),
  };
  return c.json(view);
}

const columns = { day: "day", key: "api_key", hardware: "hardware" } as const;

function nameOf(group: keyof typeof columns, row: UsageRow): Partial<UsageView["data"][number]> {
  if (group !== "hardware") return { [group]: row.group };
  const { total } = viewCost(row);
  const share = row.durationMs === 0 ? 0 : row.idleMs / row.durationMs;
  return { hardware: row.group || null, idle_gpu: { duration_ms: row.idleMs, cost: total * share } };
}

const DAY_MS = 86_400_000;
const MAX_DAYS = 366;

function viewUsage(row: Omit<UsageRow, "group" | "idleMs">): SpentView {
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
    idleMs: add("idleMs"),
  };
}

/** The last list from Lyceum; `fetched_at` is null before the first. */
async function getMachineTypes({ c, context }: Input<typeof operations.getMachineTypes>) {
  const types = await listMachineTypes(context.store.db);
  const data = types.map((type) => ({
    hardware_profile: type.hardware_profile,
    price_per_hour: type.price_per_hour,
    available: type.available === null ? null : type.available === 1,
  }));
  const fetchedAt = iso(types[0]?.fetched_at ?? null);
  return c.json({ data, next_cursor: null, fetched_at: fetchedAt } satisfies MachineTypesView);
}
