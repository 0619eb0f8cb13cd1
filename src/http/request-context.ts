// The request as routes see it, and the parts of the service that they use.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Context as HonoContext } from "hono";
import type { ProblemKind } from "../contract/problem.ts";
import type { Execution } from "../domain/execution.ts";
import type { LiveReader } from "../domain/live-log.ts";
import type { LiveMetrics, MetricsSpan } from "../domain/metrics.ts";
import type { Allowance } from "../domain/start-estimate.ts";
import type { StartPause } from "../domain/start-pause.ts";
import type { Check } from "../lib/check.ts";
import type { Timers } from "../lib/clock.ts";
import type { Context } from "../orchestration/context.ts";
import type { TimeToKnowledge } from "../orchestration/time-to-knowledge.ts";
import type { Instance } from "../store/instances.ts";
import type { MachineTypeRow } from "../store/machine-types.ts";
import type { Caller, Keyring } from "./auth.ts";
import type { BearerGate } from "./bearer.ts";
import type { EventFeed } from "./events/feed.ts";
import type { SignInLinks } from "./sign-in-links.ts";
import type { WrongKeyLimit } from "./wrong-key-limit.ts";

export interface Env {
  /** Node's request and response; undefined for a request in memory. */
  Bindings: { incoming?: IncomingMessage; outgoing?: ServerResponse } | undefined;
  Variables: {
    requestId: string;
    caller: Caller | null;
    /** The kind of problem that it is answered with. */
    problem: ProblemKind | null;
    /** Named or made by the request, and visible to its caller. */
    ids: Readonly<Record<string, string>>;
  };
}
export type RequestContext = HonoContext<Env>;

export interface LyceumState {
  /** Null while starts are not paused. */
  startPause: StartPause | null;
  breaker: { state: string; failures: number; retryAt: number | null };
  buckets: Record<
    "execution" | "read" | "billing" | "auth",
    Allowance & { used: number; waiting: number; running: number }
  >;
}

export interface AppContext extends Context {
  now: () => number;
  timers: Timers;
  feed: EventFeed;
  keys: Keyring;
  bearers: BearerGate;
  signInLimit: WrongKeyLimit;
  signInLinks: SignInLinks;
  /** All are accepted in callback URLs; the first makes new URLs. */
  callbackSecrets: readonly string[];
  /** The path of PUBLIC_URL, without its final slash. */
  publicPath: string;
  /** False without PUBLIC_URL: then Lyceum is polled only. */
  takesCallbacks: boolean;
  /** Why a webhook's URL cannot be used, or null. `lasts` is false for a problem that may pass, such as a DNS failure. */
  webhookProblem: (url: string) => Promise<{ detail: string; lasts: boolean } | null>;
  /** True with WEBHOOK_SECRET, which signs deliveries to a job's own `webhook_url`. */
  signsForJobs: boolean;
  /** False while draining. */
  isAccepting: () => boolean;
  lyceumState: () => Promise<LyceumState>;
  /** Over the last day; a few seconds old. Null without ends. */
  timeToKnowledge: () => Promise<TimeToKnowledge | null>;
  /** The catalogue as stored; a second old at most. */
  machineTypes: () => Promise<MachineTypeRow[]>;
  /** Reads metrics from Lyceum without storing them. */
  measure: (lyceumExecutionId: string, span: MetricsSpan) => Promise<LiveMetrics>;
  /** Opens the log of a live execution; null while too many are open. */
  openLiveLog: (execution: Execution) => LiveReader | null;
  /** Prometheus text; null if METRICS_PORT serves the metrics. */
  metricsText: (() => Promise<string>) | null;
  version: string;
  settings: readonly { name: string; value: string | null; redacted: boolean }[];
  /** `url` of a trace, with `{trace_id}`. */
  traces: { isOn: boolean; url: string | null };
  /** The processes that share the database; times are epoch milliseconds. */
  instances: () => Promise<Instance[]>;
  checkDisk: () => Promise<Check[]>;
  /** Milliseconds by which this machine's clock is ahead of the database's. */
  clockAheadMs: () => number;
}

/** The caller's address; empty for a request in memory. Behind a proxy it is the proxy's. */
export function addressOf(c: RequestContext): string {
  return c.env?.incoming?.socket.remoteAddress ?? "";
}
