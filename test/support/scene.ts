// Helpers for tests on a database: the context of the use cases, a submission, and short ways through a run.

import type { Disposition } from "../../src/domain/callback-disposition.ts";
import { createCallbackHealth } from "../../src/domain/callback-health.ts";
import { createDurations } from "../../src/domain/duration-estimates.ts";
import type { ExecutionStatus } from "../../src/domain/execution.ts";
import { createFoundStarts } from "../../src/domain/found-starts.ts";
import { createBacklog } from "../../src/domain/queue-limit.ts";
import type { PythonSpec } from "../../src/domain/spec.ts";
import type { Fact } from "../../src/domain/state-machine/fact.ts";
import { applyFact } from "../../src/orchestration/apply-facts.ts";
import { type Claim, claimNext } from "../../src/orchestration/claim-runs.ts";
import type { Context } from "../../src/orchestration/context.ts";
import { deleteJob } from "../../src/orchestration/delete-job.ts";
import { fileCallbacks } from "../../src/orchestration/file-callbacks.ts";
import { type Callback, receiveCallback } from "../../src/orchestration/receive-callback.ts";
import { type Sender, type Submission, submit } from "../../src/orchestration/submit-job.ts";
import { listCallbacks } from "../../src/store/callbacks.ts";
import { removeDeleted } from "../../src/store/deletions.ts";
import { readInbox } from "../../src/store/inbox.ts";
import type { JobRow } from "../../src/store/jobs.ts";
import type { Store } from "../../src/store/store.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { createReport } from "../../src/telemetry/report.ts";

export function contextOf({ store, newId }: Pick<Context, "store" | "newId">): Context {
  return {
    store,
    newId,
    random: () => 0.5,
    rules: {
      pollMinMs: 5_000,
      pollMaxMs: 60_000,
      callbackGraceMs: 30_000,
      inDoubtAfterMs: 120_000,
      submitPatienceMs: 240_000,
    },
    health: createCallbackHealth({ asked: true, graceMs: 30_000 }),
    durations: createDurations(),
    backlog: createBacklog(),
    quotas: new Map(),
    foundStarts: createFoundStarts(),
    underCheck: new Map(),
    report: createReport(createLogger("silent"), createMetrics()),
    sharedLimits: null,
  };
}

export const spec: PythonSpec = { kind: "python", code: "print(1)", timeout: 60, execution_type: "cpu" };

export function submission(runs: number, changes: Partial<Submission> = {}): Submission {
  return {
    name: null,
    runs: Array.from({ length: runs }, () => ({ spec, matrix: null })),
    priority: 0,
    maxParallel: null,
    onRunFailure: "continue",
    onLost: "fail",
    retry: { maxAttempts: 1, on: [] },
    deadlineS: null,
    budget: null,
    webhookUrl: null,
    metadata: undefined,
    ...changes,
  };
}

export const sender: Sender = { apiKey: "ann", idempotencyKey: null, body: "{}" };

export async function submitted(
  context: Context,
  runs: number,
  changes: Partial<Submission> = {},
  from: Partial<Sender> = {},
): Promise<JobRow> {
  const answer = await submit(context, { ...sender, ...from }, submission(runs, changes));
  if (!("job" in answer)) throw new Error(`the submission came to ${answer.outcome}`);
  return answer.job;
}

/** Claims the run whose turn it is. */
export async function claimed(context: Context): Promise<Claim> {
  const claim = await claimNext(context);
  if ("nextAt" in claim) throw new Error(`nothing to claim until ${claim.nextAt}`);
  return claim;
}

/** Receives a callback and files it by itself. Returns its disposition; null: nothing is stored. */
export async function callBack(context: Context, callback: Callback): Promise<Disposition | null> {
  await receiveCallback(context, callback);
  await fileInbox(context);
  const { db } = context.store;
  const [newest] = await listCallbacks(db, callback.executionId, "", 99).then((all) => all.slice(-1));
  return newest?.disposition ?? null;
}

export async function fileInbox({ store, ...context }: Context): Promise<void> {
  const seqs = (await readInbox(store.db, 500)).map(({ seq }) => seq);
  await store.write((tx) => fileCallbacks({ ...context, store }, tx, seqs, { checkAt: tx.now }));
}

export function tell(context: Context, executionId: string, fact: Fact) {
  return context.store.write((tx) => applyFact(context, tx, { executionId, fact }));
}

/** A claimed run that Lyceum has taken. */
export async function live(context: Context): Promise<Claim> {
  const claim = await claimed(context);
  const { id } = claim.execution;
  await tell(context, id, {
    type: "accepted",
    lyceumExecutionId: `lyceum-${id}`,
    status: "pending",
    raw: "pending",
    found: false,
  });
  return claim;
}

/** A snapshot with this status. */
export function read(status: ExecutionStatus): Fact {
  return { type: "snapshot", by: "poll", askedAt: 0, snapshot: { status, raw: status, timedOut: false } };
}

/** Takes the next run to its end at Lyceum and collects it. */
export async function ended(context: Context, status: ExecutionStatus): Promise<Claim> {
  const claim = await live(context);
  await tell(context, claim.execution.id, read(status));
  await tell(context, claim.execution.id, { type: "collected" });
  return claim;
}

export async function jobNow(store: Store, id: string): Promise<JobRow> {
  return store.db.selectFrom("jobs").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
}

/** Deletes a job and removes its rows. */
export async function removed(store: Store, jobId: string): Promise<void> {
  await store.write((tx) => deleteJob(tx, jobId, { remembersKey: false }));
  while (await store.write((tx) => removeDeleted(tx.db)));
}

/** Each job's counts as counted afresh from its runs: what the kept ones must equal. */
export async function recount(store: Store, jobId: string): Promise<Record<string, number>> {
  const rows = await store.db.selectFrom("runs").select("status").where("job_id", "=", jobId).execute();
  const counts: Record<string, number> = {};
  for (const { status } of rows) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}
