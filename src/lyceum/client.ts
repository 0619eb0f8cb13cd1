// Lyceum's endpoints as functions: the only way to reach it. What a call can come to is in outcome.ts.
import { type Clock, systemTimers, type Timers } from "../lib/clock.ts";
import type { Credentials } from "./auth.ts";
import type { Fetch } from "./http-exchange.ts";
import { createHttpTransport } from "./http-transport.ts";
import type { ReadOutcome, StartOutcome } from "./outcome.ts";
import { toReadOutcome, toStartOutcome } from "./outcome-of-reply.ts";
import type { Bucket, Priority } from "./priorities.ts";
import type { RateLimiter } from "./rate-limiter.ts";
import { executionIdIn, type StartRequest } from "./request.ts";
import type { AnswerName, Reading } from "./schema.ts";
import { createSend, type RequestLine } from "./send.ts";

export interface LyceumOptions {
  /** With the path, without a slash at the end. */
  baseUrl: string;
  orgSlug: string | null;
  credentials: Credentials;
  throttle: RateLimiter;
  clock: Clock;
  fetch?: Fetch;
  timers?: Timers;
  timeouts?: Partial<Timeouts>;
  /** Called after each HTTP request; holds no secret. */
  log?: (line: RequestLine) => void;
}

/** Lyceum was seen to take 30 to 120 s for a call on slow days, hence the patience. */
interface Timeouts {
  startMs: number;
  readMs: number;
  writeMs: number;
}

const patience: Timeouts = { startMs: 150_000, readMs: 60_000, writeMs: 60_000 };

const MIB = 1024 * 1024;
const MAX_BYTES = 8 * MIB;
/** Enough for the active list with thousands of rows. */
const MAX_LIST_BYTES = 32 * MIB;

/**
 * Records and logs hold output of any size, and many are read at once: what is larger than usual is to be asked for
 * again, one at a time, or they would not fit into memory together.
 */
export type Size = "usual" | "large";
const DOCUMENT_BYTES = { usual: MIB / 4, large: 16 * MIB };

export type LyceumClient = ReturnType<typeof createLyceumClient>;

/** Throws only on bugs: an empty id, an API key or organisation that cannot stand in a header. */
export function createLyceumClient({ timeouts, throttle, ...options }: LyceumOptions) {
  const { startMs, readMs, writeMs } = { ...patience, ...timeouts };
  const send = createSend({
    ...options,
    throttle,
    timers: options.timers ?? systemTimers,
    fetch: options.fetch ?? createHttpTransport(),
    log: options.log ?? (() => {}),
  });

  /**
   * Takes over one place that `throttle.reserve("execution")` granted. Not idempotent at Lyceum, never retried.
   * @param mayLeave asked right before the request leaves
   */
  async function start(
    { path, body, secrets }: StartRequest,
    mayLeave?: () => boolean,
  ): Promise<StartOutcome> {
    const reply = await send({
      lane: "submit",
      group: "execution",
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
    request: Wanted,
    isOurs: (reading: Reading<N>) => boolean = () => true,
  ): Promise<ReadOutcome<Reading<N>>> {
    const { id, route, query = {}, method = "GET" } = request;
    const search = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
    const path = id === undefined ? route : route.replace("{id}", () => segment(id));
    const reply = await send({
      lane: request.lane,
      group: request.group ?? "read",
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

    /**
     * The full record: state and output.
     * @param marker our id of the execution; null where the record may bear any (a sub-job, a search)
     */
    record: (id: string, marker: string | null, lane: Priority, size: Size = "usual") =>
      read(
        "record",
        { lane, route: "/execution/{id}", id, maxBytes: DOCUMENT_BYTES[size] },
        ({ executionId, fileName }) =>
          executionId === id && (marker === null || (executionIdIn(fileName) ?? marker) === marker),
      ),

    streamingStatus: (id: string, lane: Priority) =>
      read("status", { lane, route: "/execution/streaming/{id}/status", id }, isAbout(id)),

    gpuSelectionStatus: (id: string, lane: Priority) =>
      read("gpuSelection", { lane, route: "/execution/gpu_selection/{id}/status", id }, isAbout(id)),

    timing: (id: string) =>
      read("timing", { lane: "collect", route: "/execution/{id}/timing", id }, isAbout(id)),

    metrics: (id: string, { step, start, end, lane = "collect", size = "usual" }: MetricsQuery) =>
      read(
        "metrics",
        {
          lane,
          route: "/execution/{id}/metrics",
          id,
          query: { step, ...(start === undefined ? {} : { start }), ...(end === undefined ? {} : { end }) },
          maxBytes: DOCUMENT_BYTES[size],
        },
        isAbout(id),
      ),

    /** At most 10,000 entries of at most the last 168 hours, counted back from now. */
    logs: (id: string, { limit, hours, size = "usual" }: { limit: number; hours: number; size?: Size }) =>
      read(
        "logs",
        {
          lane: "collect",
          route: "/logs/execution/{id}",
          id,
          query: { limit: within(limit, 1, 10_000), hours: within(hours, 1, 168) },
          maxBytes: DOCUMENT_BYTES[size],
        },
        ({ executionIds }) => executionIds.length === 0 || executionIds.includes(id),
      ),

    /** All executions that have not ended: it may be thousands, at about 1 KiB each. */
    workloads: (lane: Priority) =>
      read("workloads", { lane, route: "/workloads/list", maxBytes: MAX_LIST_BYTES }),

    /** Order is not documented; rows may shift between pages while runs are added. */
    history: ({ limit, offset }: { limit: number; offset: number }, lane: Priority = "confirm") =>
      read("history", {
        lane,
        group: "billing",
        route: "/billing/history",
        query: { limit, offset },
        maxBytes: MAX_LIST_BYTES,
      }),

    /** Hard stop. `missing`: unknown, or ended already. The state may change only after the answer. */
    abort: (id: string) => end("/workloads/abort/{id}", id),

    /** Graceful stop; ends as `cancelled` or `completed`, the page says both [docs/serverless/runs]. */
    stop: (id: string) => end("/workloads/stop/{id}", id),

    deleteRecord: (id: string) =>
      read("ending", { lane: "collect", method: "DELETE", route: "/execution/{id}", id }),

    machineTypes: () => read("machineTypes", { lane: "routine", route: "/machine-types" }),

    /** Names of the profiles that the account may use; an empty list restricts nothing. */
    availableHardware: () =>
      read("availableHardware", { lane: "routine", route: "/user/quotas/available-hardware" }),
  };

  function end(route: string, id: string) {
    return read("ending", { lane: "cancel", method: "POST", route, id });
  }
}

export interface MetricsQuery {
  /** Such as `5s`, `15s` or `1m`. */
  step: string;
  /** ISO 8601; left out: the run's start and its end, or now. */
  start?: string | undefined;
  end?: string | undefined;
  lane?: Priority;
  size?: Size;
}

interface Wanted {
  lane: Priority;
  group?: Bucket;
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

/** Ids are opaque; one that would turn the path into another one is a bug of the caller. */
function segment(id: string): string {
  if (/^\.{0,2}$/.test(id.trim())) throw new Error(`Not an id of a Lyceum execution: "${id}"`);
  return encodeURIComponent(id);
}

function within(value: number, least: number, most: number): number {
  return Math.min(Math.max(Math.ceil(value), least), most);
}
