// One call to Lyceum: through the rate limiter, with a token, and once more with a new token after a 401.
import type { Clock, Timers } from "../lib/clock.ts";
import { keepSubject } from "../lib/subject.ts";
import { type Credentials, createAuth, isHeaderValue } from "./auth.ts";
import { type Exchanged, exchange, type Fetch, type Reply } from "./http-exchange.ts";
import type { Bucket, Priority } from "./priorities.ts";
import { MAX_PAUSE_MS, readLimits } from "./rate-limit-headers.ts";
import type { CallReport, Deferred, RateLimiter } from "./rate-limiter.ts";

export interface Call {
  priority: Priority;
  bucket: Bucket;
  method: "GET" | "POST" | "DELETE";
  /** The path with `{id}` for the id, as logs and details show it. */
  route: string;
  path: string;
  body?: unknown;
  timeoutMs: number;
  maxBytes: number;
  /** Asked right before the first byte; false: the request is not sent, as its sender may have been given up. */
  mayLeave?: (() => boolean) | undefined;
}

export interface RequestLine {
  method: string;
  route: string;
  status: number | null;
  durationMs: number;
  /** Why there is no answer. */
  problem: string | null;
}

export interface SendOptions {
  baseUrl: string;
  orgSlug: string | null;
  credentials: Credentials;
  /** The number of processes that use the credentials. */
  instances?: (() => number) | undefined;
  rateLimiter: RateLimiter;
  clock: Clock;
  timers: Timers;
  fetch: Fetch;
  log: (line: RequestLine) => void;
}

const AUTH_TIMEOUT_MS = 60_000;
const AUTH_MAX_BYTES = 256 * 1024;

export function createSend({
  baseUrl,
  orgSlug,
  rateLimiter,
  clock,
  timers,
  fetch,
  log,
  ...rest
}: SendOptions) {
  const base = baseUrl.replace(/\/+$/, "");
  if (orgSlug !== null && !isHeaderValue(orgSlug))
    throw new Error("The Lyceum organisation has odd characters");
  const auth = createAuth(rest.credentials, clock, requestToken, rest.instances);

  async function send(call: Call): Promise<Reply> {
    const here = keepSubject();
    const passed = await rateLimiter.run(call.priority, call.bucket, (report) =>
      here(() => authorized(call, report)),
    );
    return passed.deferred ? replyToDeferred(passed) : passed.value;
  }

  /** Both requests of a renewal count once in the limit: Lyceum cannot charge a 401 to an account. */
  async function authorized(call: Call, report: CallReport): Promise<Reply> {
    const first = await auth.token();
    if (first.type !== "token") {
      report.unsent();
      return first;
    }
    const reply = await once(call, first.token, report);
    if (reply.type !== "answer" || reply.status !== 401) return reply;
    const second = await auth.renew(first.token);
    return second.type === "token" ? once(call, second.token, report) : second;
  }

  async function once(call: Call, token: string | null, report: CallReport): Promise<Reply> {
    const startedAt = clock.monotonic();
    const headers: Record<string, string> = { accept: "application/json" };
    if (token) headers.authorization = `Bearer ${token}`;
    if (token && orgSlug) headers["x-org-slug"] = orgSlug;
    let isStale = false;
    const mayLeave = () => {
      isStale = call.mayLeave?.() === false;
      return !isStale;
    };
    const url = `${base}${call.path}`;
    const exchanged = await exchange(fetch, timers, { ...call, url, headers, mayLeave });
    if (isStale) {
      report.unsent();
      return { type: "silent", sent: false, detail: "not sent: this instance was silent", isStale: true };
    }
    log(toLine(call, exchanged, clock.monotonic() - startedAt));
    if (!exchanged.answered) {
      report.unanswered();
      if (!exchanged.sent) report.unsent();
      return { type: "silent", sent: exchanged.sent, detail: exchanged.detail };
    }
    const { status, headers: answered, body } = exchanged;
    const pauseMs = report.answered(status, answered);
    if (status === 429) return { type: "throttled", retryAfterMs: pauseMs };
    const retryAfter = readLimits(answered, clock.now()).retryAfterMs;
    const retryAfterMs = retryAfter === null ? null : Math.min(retryAfter, MAX_PAUSE_MS);
    return { type: "answer", status, retryAfterMs, body, secrets: token ? [token] : [] };
  }

  /** With a priority that is never deferred by the breaker: the call that needs the token has passed it already. */
  async function requestToken(path: string, body: Record<string, string>): Promise<Reply> {
    const call: Call = {
      priority: "submit",
      bucket: "auth",
      method: "POST",
      route: path,
      path,
      body,
      timeoutMs: AUTH_TIMEOUT_MS,
      maxBytes: AUTH_MAX_BYTES,
    };
    const passed = await rateLimiter.run(call.priority, call.bucket, (report) => once(call, null, report));
    return passed.deferred ? replyToDeferred(passed) : passed.value;
  }

  return send;
}

function replyToDeferred({ deferred, waitMs }: Deferred): Reply {
  if (deferred === "throttled") return { type: "throttled", retryAfterMs: waitMs, isDeferred: true };
  return { type: "silent", sent: false, detail: `no answers lately; next try in ${waitMs} ms` };
}

function toLine({ method, route }: Call, exchanged: Exchanged, durationMs: number): RequestLine {
  const ending = exchanged.answered
    ? { status: exchanged.status, problem: null }
    : { status: null, problem: exchanged.detail };
  return { method, route, durationMs, ...ending };
}
