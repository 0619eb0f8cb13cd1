// The resources that paths name, found only if the caller may see them.
import type { Execution } from "../domain/execution.ts";
import { findExecution } from "../store/executions.ts";
import { findJobs, type JobRow } from "../store/jobs.ts";
import type { RunRow } from "../store/run-rows.ts";
import { findRun } from "../store/runs.ts";
import { findWebhook, type WebhookRow } from "../store/webhooks.ts";
import { ownerSeenBy } from "./auth.ts";
import { callerOf, idIn } from "./read-request.ts";
import type { AppContext, RequestContext } from "./request-context.ts";

export interface Resources {
  job: { job: JobRow };
  run: { run: RunRow; job: JobRow };
  execution: { execution: Execution; job: JobRow };
  webhook: { webhook: WebhookRow };
}

interface Resource<Found> {
  find(c: RequestContext, context: AppContext): Promise<Found | null>;
  /** Also for resources that the caller may not see. */
  notFound: string;
}

export const resources: { [N in keyof Resources]: Resource<Resources[N]> } = {
  job: {
    async find(c, context) {
      const job = await visibleJob(c, context, idIn(c, "job"));
      return job === null ? null : { job };
    },
    notFound: "no job with this id is visible to this API key; it may have been deleted or pruned",
  },
  run: {
    async find(c, context) {
      const run = await findRun(context.store.db, idIn(c, "run"));
      const job = run === null ? null : await visibleJob(c, context, run.job_id);
      return run === null || job === null ? null : { run, job };
    },
    notFound: "no run with this id is visible to this API key; it may have been deleted or pruned",
  },
  execution: {
    async find(c, context) {
      const execution = await findExecution(context.store.db, idIn(c, "execution"));
      const job = execution === null ? null : await visibleJob(c, context, execution.jobId);
      return execution === null || job === null ? null : { execution, job };
    },
    notFound:
      "no execution with this id is visible to this API key; starts that Lyceum never accepted are not kept",
  },
  webhook: {
    async find(c, context) {
      const owner = ownerSeenBy(callerOf(c));
      const webhook = await findWebhook(context.store.db, idIn(c, "webhook"), owner);
      return webhook === null ? null : { webhook };
    },
    notFound: "no webhook with this id is visible to this API key",
  },
};

/** Null: the template names none. */
export function resourceNamedBy(path: string): keyof Resources | null {
  const names = [...path.matchAll(/:(\w+)/g)].map(([, name = ""]) => name);
  return names.find((name): name is keyof Resources => Object.hasOwn(resources, name)) ?? null;
}

export function idsOf({
  job,
  run,
  execution,
  webhook,
}: Partial<Resources["run"] & Resources["execution"] & Resources["webhook"]>) {
  const all = {
    job_id: job?.id ?? execution?.jobId,
    run_id: run?.id ?? execution?.runId,
    execution_id: execution?.id,
    webhook_id: webhook?.id,
  };
  const ids: Record<string, string> = {};
  for (const [name, id] of Object.entries(all)) if (id !== undefined) ids[name] = id;
  return ids;
}

/** Null unless the caller may see the job. */
export async function visibleJob(c: RequestContext, context: AppContext, id: string): Promise<JobRow | null> {
  const owner = ownerSeenBy(callerOf(c));
  const job = await context.store.batchRead(findJobs, id);
  return job === null || (owner !== null && job.api_key !== owner) ? null : job;
}
