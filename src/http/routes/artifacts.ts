// Reading artifacts that were fetched after a run's end: output, timing, metrics.
import * as operations from "../../contract/operations/runs.ts";
import type { ArtifactKind } from "../../store/db/schema.ts";
import { type Artifact, executionOf, type Show, serve } from "../artifact.ts";
import type { RequestContext } from "../request-context.ts";
import { type Input, type Route, route } from "../route.ts";
import { logsRoute } from "./logs.ts";
import { metricsRoute } from "./metrics.ts";

export const artifactRoutes: Route[] = [
  route({
    method: "GET",
    path: "/v1/runs/:run/output",
    isLarge: true,
    access: "read",
    operation: operations.getOutput,
    handle: (input) => get(input, "record", output),
  }),
  route({
    method: "GET",
    path: "/v1/runs/:run/timing",
    isLarge: true,
    access: "read",
    operation: operations.getTiming,
    handle: (input) => get(input, "timing", plain),
  }),
  metricsRoute,
  logsRoute,
];

async function get(
  { c, context, query, run }: Input<typeof operations.getOutput, "run">,
  kind: ArtifactKind,
  show: Show,
): Promise<Response> {
  const found = await executionOf(c, context, run, query.attempt);
  return found instanceof Response ? found : serve(c, context, found, kind, show);
}

/** Sends the result as the text that Lyceum sent; documents of earlier versions hold it parsed. */
function output(c: RequestContext, { document, ids }: Artifact): Response {
  const { result_json: result = null, ...rest } = document as { result_json?: string | null };
  if (result === null) return c.json({ ...ids, result: null, ...rest });
  const fields = JSON.stringify({ ...ids, ...rest });
  return c.body(`${fields.slice(0, -1)},"result":${result}}`, 200, { "Content-Type": "application/json" });
}

function plain(c: RequestContext, { document, ids }: Artifact): Response {
  return c.json({ ...ids, ...(document as object) });
}
