// Reading an execution.
import * as operations from "../../contract/operations/executions.ts";
import { callerOf } from "../read-request.ts";
import { type Input, type Route, route } from "../route.ts";
import { viewExecution } from "../views/view.ts";

export const executionRoutes: Route[] = [
  route({
    method: "GET",
    path: "/v1/executions/:execution",
    access: "read",
    operation: operations.getExecution,
    handle: getExecution,
  }),
];

async function getExecution({ c, execution, job }: Input<typeof operations.getExecution, "execution">) {
  const { name, role } = callerOf(c);
  const isOwner = role !== "read" && name === job.api_key;
  return c.json({ ...viewExecution(execution), streaming_url: isOwner ? execution.streamingUrl : null });
}
