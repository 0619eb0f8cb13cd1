// A job's results: one row per run, as a list or as CSV.
import * as operations from "../../contract/operations/jobs.ts";
import { noQuery } from "../../contract/query.ts";
import { nextTurn } from "../../lib/next-turn.ts";
import type { JobRow } from "../../store/jobs.ts";
import { listRuns } from "../../store/runs.ts";
import { matrixNames } from "../../store/specs.ts";
import { acceptsExplicitly } from "../headers.ts";
import { invalid } from "../problem.ts";
import { queryOf } from "../read-request.ts";
import type { AppContext } from "../request-context.ts";
import { type Input, type Route, route } from "../route.ts";
import { csvHeader, csvLines, viewResult } from "../views/results-csv.ts";
import { pageOfRuns } from "./run-lists.ts";
import { viewRuns } from "./runs.ts";

export const resultRoutes: Route[] = [
  route({
    method: "GET",
    path: "/v1/jobs/:job/results",
    isLarge: true,
    access: "read",
    operation: operations.listResults,
    handle: getResults,
  }),
];

async function getResults(input: Input<typeof operations.listResults, "job">) {
  return acceptsExplicitly(input.c, "text/csv") ? getCsv(input) : pageOfRuns(input, viewResult);
}

async function getCsv({ c, context, job }: Input<typeof operations.listResults, "job">) {
  const query = queryOf(c, noQuery);
  if (!query.ok) return invalid(c, query.errors);
  const lines = ReadableStream.from(linesOf(context, job)) as ReadableStream<Uint8Array>;
  return c.body(lines, 200, {
    "Content-Type": "text/csv; charset=utf-8; header=present",
    "Content-Disposition": `attachment; filename="${job.id}.csv"`,
  });
}

async function* linesOf(context: AppContext, job: JobRow): AsyncGenerator<Uint8Array> {
  try {
    const names = await matrixNames(context.store.db, job.id);
    yield Buffer.from(csvHeader(names));
    for (let after = -1; ; ) {
      // SQLite answers within the turn: the whole job would be written without any other request coming in.
      await nextTurn();
      const runs = await listRuns(context.store.db, job.id, after, ROWS_PER_PAGE);
      const view = await viewRuns(context, runs);
      if (runs.length > 0) yield Buffer.from(csvLines(names, runs.map(view).map(viewResult)));
      const last = runs.at(-1);
      if (last === undefined || runs.length < ROWS_PER_PAGE) return;
      after = last.position;
    }
  } catch (error) {
    // The status is already sent. Breaking the connection shows that the answer is incomplete.
    context.report.fault("http", error);
    throw error;
  }
}

const ROWS_PER_PAGE = 100;
