// What a route knows of the request it serves, and what it serves with.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Context as HonoContext } from "hono";
import type { LiveMetrics, MetricsSpan } from "../domain/metrics.ts";
import type { Allowance } from "../domain/start-estimate.ts";
import type { StartPause } from "../domain/start-pause.ts";
import type { Timers } from "../lib/clock.ts";
import type { Context } from "../orchestration/context.ts";
import type { Instance } from "../store/instances.ts";
import type { Caller, Keyring } from "./auth.ts";
import type { Tail } from "./events/feed.ts";
import type { SignInLimit } from "./sign-in-limit.ts";
import type { SignInLinks } from "./sign-in-links.ts";

export interface Env {
  /** What the server gives along; nothing for a request in memory. */
  Bindings: { incoming?: IncomingMessage; outgoing?: ServerResponse } | undefined;
  Variables: { requestId: string; caller: Caller | null };
}
export type RequestContext = HonoContext<Env>;

/** What the status page tells of the calls to Lyceum. Times are epoch milliseconds. */
export interface LyceumState {
  /** Null while starts flow. */
  startPause: StartPause | null;
  breaker: { state: string; failures: number; retryAt: number | null };
  groups: Record<
    "execution" | "read" | "billing" | "auth",
    Allowance & { used: number; waiting: number; running: number }
  >;
}

/** The parts of the service that routes use. */
export interface AppContext extends Context {
  now: () => number;
  timers: Timers;
  /** Who waits for events subscribes here. */
  tail: Tail;
  /** The API keys in force. */
  keys: Keyring;
  signInLimit: SignInLimit;
  signInLinks: SignInLinks;
  /** In force for callbacks; the first makes new URLs. */
  callbackSecrets: readonly string[];
  /** The path of PUBLIC_URL, without a slash at its end. */
  publicPath: string;
  /** Whether callbacks are asked for at all. */
  takesCallbacks: boolean;
  /** What stands against a webhook's URL; null when it may be used. Unless it `lasts`, it may be over in a minute. */
  webhookProblem: (url: string) => Promise<{ detail: string; lasts: boolean } | null>;
  /** Whether there is a secret to sign what goes to a job's own `webhook_url`. */
  signsForJobs: boolean;
  /** False while draining. */
  isAccepting: () => boolean;
  /** The throttle towards Lyceum as it stands: limits, pauses, the circuit. */
  lyceumState: () => LyceumState;
  /** Asks Lyceum for metrics that are not stored. */
  measure: (lyceumExecutionId: string, span: MetricsSpan) => Promise<LiveMetrics>;
  /** Prometheus text, or null when it is served on a port of its own. */
  metricsText: (() => Promise<string>) | null;
  version: string;
  /** The settings in force, without secrets. */
  settings: readonly { name: string; value: string | null; redacted: boolean }[];
  /** The processes that share the database; times are epoch milliseconds. */
  instances: () => Promise<Instance[]>;
  /** How far this machine's clock is ahead of the database's, in ms. */
  clockAheadMs: () => number;
}
