// Lyceum's endpoints as functions: the only way to reach Lyceum.
import { type Clock, systemTimers, type Timers } from "../lib/clock.ts";
import type { Credentials } from "./auth.ts";
import type { Fetch } from "./http-exchange.ts";
import { createHttpTransport } from "./http-transport.ts";
import type { ReadOutcome, StartOutcome } from "./outcome.ts";
import { toReadOutcome, toStartOutcome } from "./outcome-of-reply.ts";
import type { Bucket, Priority } from "./priorities.ts";
import type { RateLimiter } from "./rate-limiter.ts";
import { executionIdIn, type StartRequest } from "./request.ts";
import type { AnswerName, AnswerOf } from "./schema.ts";
import { createSend, type RequestLine } from "./send.ts";

export interface LyceumOptions {
  baseUrl: string;
  orgSlug: string | null;
  credentials: Credentials;
  /** The number of processes that use the credentials. Default: this process alone. */
  instances?: () => number;
  rateLimiter: RateLimiter;
  clock: Clock;
  fetch?: Fetch;
  timers?: Timers;
  timeouts?: Partial<Timeouts>;
  log?: (line: RequestLine) => void;
}

/** On slow days Lyceum took 30 to 120 s for a call. */
interface Timeouts {
  startMs: number;
  readMs: number;
  writeMs: number;
}

const defaultTimeouts: Timeouts = { startMs: 150_000, readMs: 60_000, writeMs: 60_000 };

const MIB = 1024 * 1024;
const MAX_BYTES = 8 * MIB;
/** Enough for the active list with thousands of rows. */
const MAX_LIST_BYTES = 32 * MIB;

/** Records and logs hold output of any size: a document above `usual` is fetched again as `large`, one at a time. */
export type Size = "usual" | "large";
const DOCUMENT_BYTES = { usual: MIB / 4, large: 16 * MIB };

export type LyceumClient = ReturnType<typeof createLyceumClient>;

/** Throws on an empty id, or on an API key or organisation that no header can carry. */
export function createLyceumClient({ timeouts, rateLimiter, ...options }: LyceumOptions) {
  const { startMs, readMs, writeMs } = { ...defaultTimeouts, ...timeouts };
  const send = createSend({
    ...options,
    rateLimiter,
    timers: options.timers ?? systemTimers,
    fetch: options.fetch ?? createHttpTransport(),
    log: options.log ?? (() => {}),
  });

  /**
   * Not idempotent at Lyceum, never retried. Uses up one `rateLimiter.reserve("execution")`.
   * @param mayLeave called right before the request leaves
   */
  async function start(
    { path, body, secrets }: StartRequest,
    mayLeave?: () => boolean,
  ): Promise<StartOutcome> {
    const reply = await send({
      priority: "submit",
      bucket: "execution",
      method: "POST",
      route: path,
      path,
      body,
      timeoutMs: startMs,
      maxBytes: MAX_BYTES,
      mayLeave,
    });
    return toStartOutcome(reply, `POST ${path}`, secrets);
  }

  async function read<N extends AnswerName>(
    name: N,
    request: ReadRequest,
    isOurs: (answer: AnswerOf<N>) => boolean = () => true,
  ): Promise<ReadOutcome<AnswerOf<N>>> {
    const { id, route, query = {}, method = "GET" } = request;
    const search = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
    const path = id === undefined ? route : route.replace("{id}", () => segment(id));
    const reply = await send({
      priority: request.priority,
      bucket: request.bucket ?? "read",
      method,
      route,
      path: search.size > 0 ? `${path}?${search}` : path,
      timeoutMs: method === "GET" ? readMs : writeMs,
      maxBytes: request.maxBytes ?? MAX_BYTES,
    });
    return toReadOutcome(reply, `${method} ${route}`, name, { isOurs });
  }

  return {
    start,

    /** @param marker our id of the execution; null: the record may carry any marker (a sub-job, a search) */
    record: (id: string, marker: string | null, priority: Priority, size: Size = "usual") =>
      read(
        "record",
        { priority, route: "/execution/{id}", id, maxBytes: DOCUMENT_BYTES[size] },
        ({ executionId, fileName }) =>
          executionId === id && (marker === null || (executionIdIn(fileName) ?? marker) === marker),
      ),

    streamingStatus: (id: string, priority: Priority) =>
      read("status", { priority, route: "/execution/streaming/{id}/status", id }, isAbout(id)),

    gpuSelectionStatus: (id: string, priority: Priority) =>
      read("gpuSelection", { priority, route: "/execution/gpu_selection/{id}/status", id }, isAbout(id)),

    timing: (id: string) =>
      read("timing", { priority: "collect", route: "/execution/{id}/timing", id }, isAbout(id)),

    metrics: (id: string, { step, start, end, priority = "collect", size = "usual" }: MetricsQuery) =>
      read(
        "metrics",
        {
          priority,
          route: "/execution/{id}/metrics",
          id,
          query: { step, ...(start === undefined ? {} : { start }), ...(end === undefined ? {} : { end }) },
          maxBytes: DOCUMENT_BYTES[size],
        },
        isAbout(id),
      ),

    /** At most 10,000 entries of at most the last 168 hours, counted back from now. */
    logs: (id: string, { limit, hours, size = "usual", priority = "collect" }: LogsQuery) =>
      read(
        "logs",
        {
          priority,
          route: "/logs/execution/{id}",
          id,
          query: { limit: clamp(limit, 1, 10_000), hours: clamp(hours, 1, 168) },
          maxBytes: DOCUMENT_BYTES[size],
        },
        ({ executionIds }) => executionIds.length === 0 || executionIds.includes(id),
      ),

    /** All executions that have not ended: perhaps thousands, at about 1 KiB each. */
    workloads: (priority: Priority) =>
      read("workloads", { priority, route: "/workloads/list", maxBytes: MAX_LIST_BYTES }),

    /** The order is not documented; rows may shift between pages while runs are added. */
    history: ({ limit, offset }: { limit: number; offset: number }, priority: Priority = "confirm") =>
      read("history", {
        priority,
        bucket: "billing",
        route: "/billing/history",
        query: { limit, offset },
        maxBytes: MAX_LIST_BYTES,
      }),

    /** Hard stop. `missing`: unknown, or ended already. The status may change only after the answer. */
    abort: (id: string) => endExecution("/workloads/abort/{id}", id),

    /** Graceful stop; ends as `cancelled` or `completed`, the page says both [docs/serverless/runs]. */
    stop: (id: string) => endExecution("/workloads/stop/{id}", id),

    deleteRecord: (id: string) =>
      read("ending", { priority: "collect", method: "DELETE", route: "/execution/{id}", id }),

    machineTypes: () => read("machineTypes", { priority: "routine", route: "/machine-types" }),

    /** Names of the profiles that the account may use; an empty list restricts nothing. */
    availableHardware: () =>
      read("availableHardware", { priority: "routine", route: "/user/quotas/available-hardware" }),
  };

  function endExecution(route: string, id: string) {
    return read("ending", { priority: "cancel", method: "POST", route, id });
  }
}

export interface MetricsQuery {
  step: string;
  /** ISO 8601; left out: the run's start and its end, or now. */
  start?: string | undefined;
  end?: string | undefined;
  priority?: Priority;
  size?: Size;
}

export interface LogsQuery {
  /** At most 10,000. */
  limit: number;
  /** At most 168, counted back from now. */
  hours: number;
  size?: Size;
  priority?: Priority;
}

interface ReadRequest {
  priority: Priority;
  bucket?: Bucket;
  method?: "GET" | "POST" | "DELETE";
  /** `{id}` stands for the id. */
  route: string;
  id?: string;
  query?: Record<string, string | number>;
  maxBytes?: number;
}

function isAbout(id: string) {
  return ({ executionId }: { executionId: string | null }) => executionId === null || executionId === id;
}

/** Ids are opaque. An id that would change the path is a bug of the caller. */
function segment(id: string): string {
  if (/^\.{0,2}$/.test(id.trim())) throw new Error(`Not an id of a Lyceum execution: "${id}"`);
  return encodeURIComponent(id);
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(Math.ceil(value), min), max);
}
