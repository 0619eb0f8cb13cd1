// Executions at Lyceum that a restore found without their runs.
import * as operations from "../../contract/operations/strays.ts";
import type { StrayView } from "../../contract/stray.ts";
import { durationMs } from "../../domain/cost.ts";
import { listStrays, type Stray } from "../../store/strays.ts";
import { ownerSeenBy } from "../auth.ts";
import { cursorOf, readCursor, toPage } from "../cursor.ts";
import { invalid } from "../problem.ts";
import { callerOf } from "../read-request.ts";
import { type Input, type Route, route } from "../route.ts";
import { iso } from "../views/view.ts";

export const strayRoutes: Route[] = [
  route({
    method: "GET",
    path: "/v1/strays",
    access: "read",
    operation: operations.listStrays,
    handle: getStrays,
  }),
];

async function getStrays({ c, context, query: { limit, cursor } }: Input<typeof operations.listStrays>) {
  const before = readCursor(cursor, "stray");
  if (!before.ok) return invalid(c, before.errors);
  // A stray's key is not known.
  const isHidden = ownerSeenBy(callerOf(c)) !== null;
  const strays = isHidden ? [] : await listStrays(context.store.db, before.value ?? null, limit + 1);
  return c.json(toPage(strays, limit, viewStray, ({ execution_id: id }) => cursorOf("stray", id)));
}

function viewStray(stray: Stray): StrayView {
  const { started_at: startedAt, ended_at: endedAt } = stray;
  return {
    id: stray.execution_id,
    lyceum_execution_id: stray.lyceum_execution_id,
    file_name: stray.file_name,
    lyceum_status: stray.raw_status,
    hardware: stray.hardware,
    found_at: iso(stray.found_at),
    started_at: iso(startedAt),
    ended_at: iso(endedAt),
    duration_ms: durationMs({ startedAt, endedAt }),
    cost: stray.cost,
    cost_source: stray.cost_source,
    settled: stray.due_at === null,
  };
}
