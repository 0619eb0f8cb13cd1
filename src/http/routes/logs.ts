// A run's log: the stored one, what Lyceum shows of a live execution, or both as they come.
import { lastLogId } from "../../contract/logs.ts";
import * as operations from "../../contract/operations/runs.ts";
import type { LiveState } from "../../domain/live-log.ts";
import type { LogEntry } from "../../domain/logs.ts";
import { listArtifacts } from "../../store/artifacts.ts";
import type { RunRow } from "../../store/run-rows.ts";
import { type Artifact, executionOf, type Found, serve } from "../artifact.ts";
import { topics } from "../events/feed.ts";
import { textStream } from "../events/text-stream.ts";
import { followLog, wordFor } from "../logs/follow.ts";
import { END_ID, formatOf, type Place } from "../logs/format.ts";
import { invalid, problem, tooMany } from "../problem.ts";
import type { AppContext, RequestContext } from "../request-context.ts";
import { type Input, type Route, route } from "../route.ts";
import { validate } from "../validate.ts";
import { iso } from "../views/view.ts";

export const logsRoute: Route = route({
  method: "GET",
  path: "/v1/runs/:run/logs",
  isLarge: true,
  access: "read",
  operation: operations.getLogs,
  handle: getLogs,
});

async function getLogs({ c, context, query, run }: Input<typeof operations.getLogs, "run">) {
  const { attempt, follow } = query;
  const last = validate(lastLogId.optional(), c.req.header("Last-Event-ID"), {
    pointer: () => "header:Last-Event-ID",
  });
  if (!last.ok) return invalid(c, last.errors);
  // Browsers reconnect after every end; 204 tells them that nothing more will come.
  if (last.value === END_ID) return c.body(null, 204);
  if (follow && attempt === undefined) return stream(c, context, run, { attempt, last: last.value });
  const found = await executionOf(c, context, run, attempt);
  if (found instanceof Response) return found;
  if (follow) return stream(c, context, run, { attempt, last: last.value });
  return (await isFetched(context, found))
    ? serve(c, context, found, "logs", stored)
    : live(c, context, found);
}

/** An execution lives, or its log has not been fetched a first time. */
async function isFetched({ store }: AppContext, { execution }: Found): Promise<boolean> {
  if (execution.phase === "watching") return false;
  if (execution.phase !== "collecting") return true;
  const logs = (await listArtifacts(store.db, [execution.id])).find(({ kind }) => kind === "logs");
  return logs !== undefined && (logs.fetched_at !== null || logs.state !== "pending");
}

function stored(c: RequestContext, { document, state }: Artifact): Response {
  const { complete, truncated } = state.summary as { complete: boolean; truncated: boolean };
  const fetchedAt = iso(state.fetched_at) ?? "";
  return send(c, document as LogEntry[], { complete, truncated, fetchedAt, isLive: false });
}

async function live(c: RequestContext, context: AppContext, { execution }: Found): Promise<Response> {
  const reader = context.openLiveLog(execution);
  if (reader === null) return tooMany(c);
  try {
    const state = await reader.refresh();
    if (state.type === "away" && reader.log.length() === 0) return unreachable(c, state);
    const note = wordFor(execution, state);
    if (note !== null) c.header("X-Log-Note", note);
    const truncated = state.type === "shown" && state.truncated;
    const fetchedAt = state.type === "away" ? "" : iso(state.readAt);
    return send(c, reader.log.entries(), { complete: false, truncated, fetchedAt, isLive: true });
  } finally {
    reader.close();
  }
}

function unreachable(c: RequestContext, { detail, retryAfterMs }: LiveState & { type: "away" }): Response {
  c.header("Retry-After", String(Math.ceil(retryAfterMs / 1_000)));
  return problem(c, "lyceum-unavailable", detail);
}

interface Standing {
  complete: boolean;
  truncated: boolean;
  fetchedAt: string;
  isLive: boolean;
}

function send(c: RequestContext, entries: readonly LogEntry[], standing: Standing): Response {
  c.header("X-Log-Complete", String(standing.complete));
  c.header("X-Log-Truncated", String(standing.truncated));
  c.header("X-Log-Fetched-At", standing.fetchedAt);
  c.header("X-Log-Live", String(standing.isLive));
  const format = formatOf(c, { isStream: false });
  return c.body(format.lines(entries, { attempt: 1, position: 0 }), 200, {
    "Content-Type": format.contentType,
  });
}

async function stream(
  c: RequestContext,
  context: AppContext,
  run: RunRow,
  { attempt, last }: { attempt: number | undefined; last: Place | undefined },
): Promise<Response> {
  const subscription = c.req.method === "HEAD" ? undefined : context.feed.subscribe(topics.endOf(run.id));
  if (subscription === null) return tooMany(c);
  const format = formatOf(c, { isStream: true });
  c.header("Content-Type", format.contentType);
  // A proxy that compresses a stream would hold it back.
  c.header("Cache-Control", "no-store, no-transform");
  c.header("X-Accel-Buffering", "no");
  // No request follows a stream: an idle connection would only delay the shutdown.
  c.header("Connection", "close");
  if (subscription === undefined) return c.body(null);
  const place = last ?? { attempt: attempt ?? Math.max(run.attempt, 1), position: 0 };
  const following = { runId: run.id, attempt, place, format };
  return c.body(textStream(followLog(context, subscription, following), subscription));
}
