// Finds a job if the caller may see it.
import { findJobs, type JobRow } from "../store/jobs.ts";
import { ownerSeenBy } from "./auth.ts";
import { problem } from "./problem.ts";
import type { AppContext, RequestContext } from "./request-context.ts";
import { callerOf, idIn } from "./route.ts";

/** The job that the path names, if the caller may see it. */
export function jobOf(c: RequestContext, context: AppContext): Promise<JobRow | null> {
  return jobSeen(c, context, idIn(c, "job"));
}

/** The job with this id, if the caller may see it. */
export async function jobSeen(c: RequestContext, context: AppContext, id: string): Promise<JobRow | null> {
  const owner = ownerSeenBy(callerOf(c));
  const job = await context.store.batchRead(findJobs, id);
  return job === null || (owner !== null && job.api_key !== owner) ? null : job;
}

export function noJob(c: RequestContext): Response {
  return problem(
    c,
    "not-found",
    "no job with this id is visible to this API key; it may have been deleted or pruned",
  );
}
