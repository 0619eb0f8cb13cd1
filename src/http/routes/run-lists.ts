// Lists of runs: over all jobs newest first, and of one job in any order.
import * as jobOperations from "../../contract/operations/jobs.ts";
import * as runOperations from "../../contract/operations/runs.ts";
import type { RunFilterQuery } from "../../contract/query.ts";
import type { RunView } from "../../contract/run.ts";
import type { JobRow } from "../../store/jobs.ts";
import {
  listAllRuns,
  listJobRuns,
  listRunsByMeasure,
  type Place,
  type RunFilter,
  type RunMeasure,
} from "../../store/run-list.ts";
import type { RunRow } from "../../store/run-rows.ts";
import { listRuns } from "../../store/runs.ts";
import type { Scanned } from "../../store/scan.ts";
import { ownerSeenBy } from "../auth.ts";
import { cursorOf, type Page, pageOf, readCursor, toPage } from "../cursor.ts";
import { invalid } from "../problem.ts";
import { callerOf } from "../read-request.ts";
import type { AppContext, RequestContext } from "../request-context.ts";
import { visibleJob } from "../resources.ts";
import { type Input, type Route, route } from "../route.ts";
import { viewRuns } from "./runs.ts";

export const runListRoutes: Route[] = [
  route({
    method: "GET",
    path: "/v1/runs",
    isLarge: true,
    access: "read",
    operation: runOperations.listRuns,
    handle: getRuns,
  }),
  route({
    method: "GET",
    path: "/v1/jobs/:job/runs",
    isLarge: true,
    access: "read",
    operation: jobOperations.listRuns,
    handle: getJobRuns,
  }),
];

async function getRuns({ c, context, query }: Input<typeof runOperations.listRuns>) {
  const { limit, cursor, job_id: jobId } = query;
  // Within a job the position is the order of creation, and its index leads straight to the job's runs.
  const kind = jobId === undefined ? "run" : "position_desc";
  const before = readCursor(cursor, kind);
  if (!before.ok) return invalid(c, before.errors);
  const after = before.value ?? null;
  const { db } = context.store;
  const filter = filterOf(query);
  let found: Scanned<RunRow>;
  if (jobId === undefined) {
    const ofCaller = { ...filter, key: ownerSeenBy(callerOf(c)) };
    found = await listAllRuns(db, ofCaller, after, limit);
  } else if ((await visibleJob(c, context, jobId)) === null) found = { rows: [], next: null };
  else found = await listJobRuns(db, jobId, filter, { order: "desc", after: numberOf(after) }, limit);
  return c.json(pageOf(found, kind, await viewRuns(context, found.rows)));
}

async function getJobRuns({ c, context, query, job }: Input<typeof jobOperations.listRuns, "job">) {
  const { sort } = query;
  const order = sort.startsWith("-") ? "desc" : "asc";
  const by = sort.replace("-", "") as RunMeasure | "position";
  return by === "position"
    ? byPosition(c, context, job, { ...query, order })
    : byMeasure(c, context, job, { ...query, by, order });
}

interface Order {
  limit: number;
  cursor?: string | undefined;
  order: "asc" | "desc";
}

async function byPosition(
  c: RequestContext,
  context: AppContext,
  job: JobRow,
  { limit, cursor, order, ...filter }: Order & RunFilterQuery,
): Promise<Response> {
  const kind = order === "asc" ? "position" : "position_desc";
  const after = readCursor(cursor, kind);
  if (!after.ok) return invalid(c, after.errors);
  const from = { order, after: numberOf(after.value ?? null) };
  const found = await listJobRuns(context.store.db, job.id, filterOf(filter), from, limit);
  return c.json(pageOf(found, kind, await viewRuns(context, found.rows)));
}

async function byMeasure(
  c: RequestContext,
  context: AppContext,
  job: JobRow,
  { limit, cursor, by, order, ...filter }: Order & RunFilterQuery & { by: RunMeasure },
): Promise<Response> {
  const kind = `${by}_${order}` as const;
  const after = readCursor(cursor, kind);
  if (!after.ok) return invalid(c, after.errors);
  const from = { by, order, after: after.value === undefined ? null : placeOf(after.value) };
  const { rows, next } = await listRunsByMeasure(context.store.db, job, filterOf(filter), from, limit);
  const found = { rows, next: next === null ? null : `${next.value ?? "none"}_${next.position}` };
  return c.json(pageOf(found, kind, await viewRuns(context, rows)));
}

function placeOf(text: string): Place {
  const [value = "", position] = text.split("_");
  return { value: value === "none" ? null : Number(value), position: Number(position) };
}

function numberOf(text: string | null): number | null {
  return text === null ? null : Number(text);
}

function filterOf(query: RunFilterQuery): RunFilter {
  const { status, outcome, name, kind, hardware, error_code, reason, created_after, created_before } = query;
  return {
    ...{ statuses: status, outcome, name, kind, hardware, errorCode: error_code, errorReason: reason },
    ...{ createdAfter: created_after, createdBefore: created_before },
  };
}

export async function pageOfRuns<T>(
  { c, context, query: { limit, cursor }, job }: Input<typeof jobOperations.listResults, "job">,
  show: (run: RunView) => T,
): Promise<Response> {
  const after = readCursor(cursor, "position");
  if (!after.ok) return invalid(c, after.errors);
  const runs = await listRuns(context.store.db, job.id, Number(after.value ?? -1), limit + 1);
  const view = await viewRuns(context, runs);
  const toRow = (run: RunRow) => show(view(run));
  return c.json(toPage(runs, limit, toRow, (run) => cursorOf("position", run.position)) satisfies Page<T>);
}
