// Reading an execution.
import * as operations from "../../contract/operations/executions.ts";
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

async function getExecution({ c, execution }: Input<typeof operations.getExecution, "execution">) {
  return c.json(viewExecution(execution));
}
