// The event log, of all visible jobs or of one job: as Server-Sent Events, or as a list with a cursor.
import { jobStreamQuery, type ListQuery, lastEventId, streamQuery } from "../../contract/events.ts";
import * as operations from "../../contract/operations/events.ts";
import {
  type EventFilter,
  type EventPage,
  type EventRow,
  newestSeq,
  oldestSeq,
  readEvents,
} from "../../store/events.ts";
import { findJob } from "../../store/jobs.ts";
import { ownerSeenBy } from "../auth.ts";
import { cursorOf, readCursor } from "../cursor.ts";
import { topics } from "../events/feed.ts";
import { eventStream } from "../events/sse.ts";
import { acceptsExplicitly } from "../headers.ts";
import { invalid, tooMany } from "../problem.ts";
import { callerOf, queryOf } from "../read-request.ts";
import type { AppContext, RequestContext } from "../request-context.ts";
import { type Input, type Route, route } from "../route.ts";
import { type Validated, validate } from "../validate.ts";
import { viewEvent } from "../views/view.ts";

export const eventRoutes: Route[] = [
  route({
    method: "GET",
    path: "/v1/events",
    access: "read",
    operation: operations.readEvents,
    handle: getEvents,
  }),
  route({
    method: "GET",
    path: "/v1/jobs/:job/events",
    access: "read",
    operation: operations.readJobEvents,
    handle: getJobEvents,
  }),
];

interface Scope {
  filter: EventFilter;
  topic: string;
  begins: "now" | "first";
  isOver(): Promise<boolean>;
}

async function getEvents({ c, context, query }: Input<typeof operations.readEvents>) {
  const owner = ownerSeenBy(callerOf(c));
  const topic = owner === null ? topics.everything : topics.key(owner);
  return serve(c, context, query, { filter: { owner }, topic, begins: "now", isOver: async () => false });
}

async function getJobEvents({ c, context, query, job }: Input<typeof operations.readJobEvents, "job">) {
  // A run that was retried by hand is alive in a terminal job, so its events may still come.
  const isOver = async () => {
    const row = await findJob(context.store.db, job.id);
    return row === null || (row.ended_at !== null && row.queued + row.active + row.collecting === 0);
  };
  const filter = { owner: null, jobId: job.id, runId: query.run_id };
  return serve(c, context, query, { filter, topic: topics.job(job.id), begins: "first", isOver });
}

function serve(
  c: RequestContext,
  context: AppContext,
  query: Omit<ListQuery, "run_id">,
  scope: Scope,
): Promise<Response> {
  const wantsList = acceptsExplicitly(c, "application/json") && !acceptsExplicitly(c, "text/event-stream");
  return wantsList ? list(c, context, query, scope) : stream(c, context, scope);
}

async function stream(
  c: RequestContext,
  context: AppContext,
  { filter, topic, begins, isOver }: Scope,
): Promise<Response> {
  // Refuses `limit` and `cursor`, which only the list takes.
  const query = queryOf(c, filter.jobId === undefined ? streamQuery : jobStreamQuery);
  if (!query.ok) return invalid(c, query.errors);
  const last = await lastSeen(c, context, query.value.last_event_id);
  if (!last.ok) return invalid(c, last.errors);
  const wanted = { ...filter, types: query.value.types };
  // Browsers reconnect after every end; 204 tells them that no more events will come.
  const isKnown = last.value !== undefined && (await isOver());
  if (isKnown && (await hasNoMore(context, wanted, last.value ?? 0))) return c.body(null, 204);

  const asked = last.value ?? (begins === "first" ? 0 : await newestSeq(context.store.db));
  const after = Math.max(asked, await lastDeleted(context));
  // Events are deleted with their jobs. Tell a reader of the whole log if events after its position are gone.
  const isGap = filter.jobId === undefined && after > asked;
  const notes = isGap ? [`events up to ${after} were deleted; the stream continues after them`] : [];
  const subscription = c.req.method === "HEAD" ? undefined : context.feed.subscribe(topic);
  if (subscription === null) return tooMany(c);
  c.header("Content-Type", "text/event-stream; charset=utf-8");
  // A proxy that compresses a stream would hold it back.
  c.header("Cache-Control", "no-store, no-transform");
  c.header("X-Accel-Buffering", "no");
  // No request follows a stream: an idle connection would only delay the shutdown.
  c.header("Connection", "close");
  if (subscription === undefined) return c.body(null);
  return c.body(eventStream(context, subscription, { filter: wanted, after, notes, isOver }));
}

async function hasNoMore(context: AppContext, filter: EventFilter, after: number): Promise<boolean> {
  const { events, isNewest } = await readEvents(context.store.db, filter, after, 1);
  return isNewest && events.length === 0;
}

async function lastDeleted(context: AppContext): Promise<number> {
  const newest = await newestSeq(context.store.db);
  return ((await oldestSeq(context.store.db)) ?? newest + 1) - 1;
}

async function list(
  c: RequestContext,
  context: AppContext,
  { limit, types, last_event_id, cursor: position }: Omit<ListQuery, "run_id">,
  { filter }: Scope,
): Promise<Response> {
  const cursor = readCursor(position, "event");
  if (!cursor.ok) return invalid(c, cursor.errors);
  const last = await lastSeen(c, context, last_event_id);
  if (!last.ok) return invalid(c, last.errors);
  const after = Math.max(Number(cursor.value ?? last.value ?? 0), await lastDeleted(context));
  const { events, readTo, isNewest } = await collect(context, { ...filter, types }, after, limit + 1);
  const shown = events.slice(0, limit);
  const next = events.length > limit ? shown.at(-1)?.seq : isNewest ? undefined : readTo;
  return c.json({
    data: shown.map(viewEvent),
    next_cursor: next === undefined ? null : cursorOf("event", next),
  });
}

/** Fewer than `limit` if few events of a long log match: the number of pages is bounded. */
async function collect(
  context: AppContext,
  filter: EventFilter,
  after: number,
  limit: number,
): Promise<EventPage> {
  const events: EventRow[] = [];
  let page: EventPage = { events: [], readTo: after, isNewest: false };
  for (let pages = 0; pages < MAX_PAGES && !page.isNewest && events.length < limit; pages++) {
    page = await readEvents(context.store.db, filter, page.readTo, limit - events.length);
    events.push(...page.events);
  }
  return { ...page, events };
}

const MAX_PAGES = 20;

/** The header wins over the parameter: a browser that reconnects repeats its original URL. */
async function lastSeen(
  c: RequestContext,
  context: AppContext,
  parameter: number | undefined,
): Promise<Validated<number | undefined>> {
  const header = c.req.header("Last-Event-ID");
  const pointer = header === undefined ? "query:last_event_id" : "header:Last-Event-ID";
  const last = validate(lastEventId.optional(), header, { pointer: () => pointer });
  if (!last.ok) return last;
  const seq = last.value ?? parameter;
  const newest = seq === undefined ? 0 : await newestSeq(context.store.db);
  if (seq === undefined || seq <= newest) return { ok: true, value: seq };
  const detail = `no event has this number yet, the newest has ${newest}; omit it to begin with new events`;
  return { ok: false, errors: [{ pointer, detail }] };
}
