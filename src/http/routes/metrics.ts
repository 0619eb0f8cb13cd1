// A run's metrics: as stored after the end or, for another step or span, read from Lyceum now.
import * as operations from "../../contract/operations/runs.ts";
import { metricsStep } from "../../domain/collection.ts";
import type { Execution } from "../../domain/execution.ts";
import type { MetricsSpan } from "../../domain/metrics.ts";
import { parseDuration } from "../../lib/duration.ts";
import { type Artifact, executionOf, type Found, idsOf, serve } from "../artifact.ts";
import { invalid, problem } from "../problem.ts";
import type { AppContext, RequestContext } from "../request-context.ts";
import { type Input, type Route, route } from "../route.ts";

export const metricsRoute: Route = route({
  method: "GET",
  path: "/v1/runs/:run/metrics",
  isLarge: true,
  access: "read",
  operation: operations.getMetrics,
  handle: getMetrics,
});

async function getMetrics({ c, context, query, run }: Input<typeof operations.getMetrics, "run">) {
  const { attempt, ...asked } = query;
  const isLive = Object.values(asked).some((value) => value !== undefined);
  const found = await executionOf(c, context, run, attempt, isLive ? "conflict" : "not-ready");
  if (found instanceof Response) return found;
  if (!isLive) return serve(c, context, found, "metrics", show);
  const span = spanOf(found.execution, asked, context.now());
  return "error" in span ? invalid(c, [span.error]) : live(c, context, found, span);
}

async function live(
  c: RequestContext,
  context: AppContext,
  found: Found,
  span: MetricsSpan,
): Promise<Response> {
  const { status, lyceumExecutionId } = found.execution;
  if (lyceumExecutionId === null)
    return problem(c, "conflict", `the execution (${status}) has no known record at Lyceum`);
  const read = await context.measure(lyceumExecutionId, span);
  switch (read.type) {
    case "measured":
      return c.json({ ...idsOf(found), summary: read.summary, document: read.document });
    case "none":
      return problem(c, "unavailable", read.detail);
    case "away":
      c.header("Retry-After", String(Math.ceil(read.retryAfterMs / 1_000)));
      return problem(c, "lyceum-unavailable", read.detail);
  }
}

type Span = { step?: string | undefined; start?: number | undefined; end?: number | undefined };

/** Limits the number of samples: all samples of all series are held in memory at once. */
function spanOf({ startedAt, endedAt, submittedAt }: Execution, asked: Span, now: number) {
  const { start = startedAt ?? submittedAt } = asked;
  // The execution may have started and ended at the same moment.
  const end =
    asked.end ?? Math.max(endedAt !== null && endedAt >= start ? endedAt : now, start + MIN_SPAN_MS);
  const error = (name: keyof Span, detail: string) => ({ error: { pointer: `query:${name}`, detail } });
  if (start >= end) return error(asked.start === undefined ? "end" : "start", "must be before the end");
  const step = asked.step ?? metricsStep(end - start).name;
  if ((end - start) / (parseDuration(step) ?? 1) > MAX_SAMPLES)
    return error("step", `makes more than ${MAX_SAMPLES} samples; use a longer step or a shorter span`);
  return { step, start: new Date(start).toISOString(), end: new Date(end).toISOString() };
}

const MAX_SAMPLES = 5_000;
const MIN_SPAN_MS = 1_000;

function show(c: RequestContext, { document, state, ids }: Artifact): Response {
  return c.json({ ...ids, summary: state.summary, document });
}
