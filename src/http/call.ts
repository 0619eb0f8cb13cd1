// What a route knows of the request it serves, and what it serves with.
import type { Context as HonoContext } from "hono";
import type { Allowance } from "../domain/estimate.ts";
import type { Context } from "../orchestration/context.ts";
import type { Caller } from "./auth.ts";

export interface Env {
  Variables: { requestId: string; caller: Caller | null };
}
export type Call = HonoContext<Env>;

/** The parts of the service that routes use. */
export interface Desk extends Context {
  now: () => number;
  /** In force for callbacks; the first makes new URLs. */
  callbackSecrets: readonly string[];
  /** Whether callbacks are asked for at all. */
  takesCallbacks: boolean;
  /** False while draining. */
  isAccepting: () => boolean;
  /** State of the throttle towards Lyceum, for the status page. */
  lyceumState: () => unknown;
  /** What the limit on starts grants now. */
  startAllowance: () => Allowance;
  /** Prometheus text, or null when it is served on a port of its own. */
  metricsText: (() => Promise<string>) | null;
  version: string;
}
