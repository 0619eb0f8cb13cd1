// Reading an execution.
import * as operations from "../../contract/operations/executions.ts";
import type { Execution } from "../../domain/execution.ts";
import { findExecution } from "../../store/executions.ts";
import { problem } from "../problem.ts";
import type { AppContext, RequestContext } from "../request-context.ts";
import { idIn, type Route } from "../route.ts";
import { viewExecution } from "../views/view.ts";
import { jobSeen } from "../visible-job.ts";

export const executionRoutes: Route[] = [
  {
    method: "GET",
    path: "/v1/executions/:execution",
    access: "read",
    operation: operations.getExecution,
    handle: getExecution,
  },
];

async function getExecution(c: RequestContext, context: AppContext): Promise<Response> {
  const execution = await executionOf(c, context);
  return execution === null ? noExecution(c) : c.json(viewExecution(execution));
}

/** The execution that the path names, if the caller may see it. */
export async function executionOf(c: RequestContext, context: AppContext): Promise<Execution | null> {
  const execution = await findExecution(context.store.db, idIn(c, "execution"));
  const job = execution === null ? null : await jobSeen(c, context, execution.jobId);
  return job === null ? null : execution;
}

export function noExecution(c: RequestContext): Response {
  return problem(
    c,
    "not-found",
    "no execution with this id is visible to this API key; starts that Lyceum never accepted are not kept",
  );
}
