// The answer beyond a quota, with RateLimit fields as in draft-ietf-httpapi-ratelimit-headers.
import type { QuotaExceeded } from "../domain/key-quota.ts";
import { formatDuration } from "../lib/duration.ts";
import { problem } from "./problem.ts";
import type { RequestContext } from "./request-context.ts";

/** @param runs that were to be submitted */
export function quotaProblem(c: RequestContext, exceeded: QuotaExceeded, runs: number): Response {
  const { quota, runsLeft, waitingLeft, windowEndsInMs } = exceeded;
  const windowEndsInS = Math.ceil(windowEndsInMs / 1_000);
  const policy = [`"runs";q=${quota.runs};w=${Math.ceil(quota.windowMs / 1_000)}`];
  const left = [`"runs";r=${runsLeft};t=${windowEndsInS}`];
  if (quota.waiting !== null) policy.push(`"waiting";q=${quota.waiting}`);
  if (waitingLeft !== null) left.push(`"waiting";r=${waitingLeft}`);
  c.header("RateLimit-Policy", policy.join(", "));
  c.header("RateLimit", left.join(", "));
  c.header("Retry-After", String(exceeded.limit === "runs" ? windowEndsInS : WAITING_RETRY_S));
  return problem(c, "quota-exceeded", detailOf(exceeded, runs, windowEndsInS));
}

/** Nobody knows when the next run of the key starts. */
const WAITING_RETRY_S = 60;

function detailOf(exceeded: QuotaExceeded, runs: number, windowEndsInS: number): string {
  const { quota, limit, runsLeft, waitingLeft } = exceeded;
  const [most, per, left] =
    limit === "runs"
      ? [quota.runs, `submit ${quota.runs} runs in each ${formatDuration(quota.windowMs)}`, runsLeft]
      : [quota.waiting ?? 0, `have ${quota.waiting} runs waiting`, waitingLeft];
  if (runs > most) return `the job has ${runs} runs, and this key may ${per}: split the job`;
  const wayOut = limit === "runs" ? `try again in ${windowEndsInS} s` : "wait until some have started";
  return `this key may ${per} and has ${left} left: ${wayOut}`;
}
