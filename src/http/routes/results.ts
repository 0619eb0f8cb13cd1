// The results of a job: one row per run, as a list or as CSV.
import * as operations from "../../contract/operations/jobs.ts";
import { noQuery } from "../../contract/query.ts";
import type { JobRow } from "../../store/jobs.ts";
import { listRuns } from "../../store/runs.ts";
import { matrixNames } from "../../store/specs.ts";
import { acceptsExplicitly } from "../accept.ts";
import { invalid } from "../problem.ts";
import type { AppContext, RequestContext } from "../request-context.ts";
import { queryOf, type Route } from "../route.ts";
import { viewResult } from "../views/result.ts";
import { csvHeader, csvLines } from "../views/results-csv.ts";
import { jobOf, noJob } from "../visible-job.ts";
import { pageOfRuns } from "./jobs.ts";
import { viewRuns } from "./runs.ts";

export const resultRoutes: Route[] = [
  {
    method: "GET",
    path: "/v1/jobs/:job/results",
    isLarge: true,
    access: "read",
    operation: operations.listResults,
    handle: getResults,
  },
];

async function getResults(c: RequestContext, desk: AppContext): Promise<Response> {
  return acceptsExplicitly(c, "text/csv") ? getCsv(c, desk) : pageOfRuns(c, desk, viewResult);
}

/** The whole job, however large: read and sent page by page. */
async function getCsv(c: RequestContext, desk: AppContext): Promise<Response> {
  const query = queryOf(c, noQuery);
  if (!query.ok) return invalid(c, query.errors);
  const job = await jobOf(c, desk);
  if (job === null) return noJob(c);
  const lines = ReadableStream.from(linesOf(desk, job)) as ReadableStream<Uint8Array>;
  return c.body(lines, 200, {
    "Content-Type": "text/csv; charset=utf-8; header=present",
    "Content-Disposition": `attachment; filename="${job.id}.csv"`,
  });
}

async function* linesOf(desk: AppContext, job: JobRow): AsyncGenerator<Uint8Array> {
  try {
    const names = await matrixNames(desk.store.db, job.id);
    yield Buffer.from(csvHeader(names));
    for (let after = -1; ; ) {
      const runs = await listRuns(desk.store.db, job.id, after, ROWS_AT_ONCE);
      const view = await viewRuns(desk, runs);
      if (runs.length > 0) yield Buffer.from(csvLines(names, runs.map(view).map(viewResult)));
      const last = runs.at(-1);
      if (last === undefined || runs.length < ROWS_AT_ONCE) return;
      after = last.position;
    }
  } catch (error) {
    // The status is out: the connection breaks off, so that nobody takes the part for the whole.
    desk.report.fault("http", error);
    throw error;
  }
}

const ROWS_AT_ONCE = 250;
