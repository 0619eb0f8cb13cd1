// The store and the use cases of the service in the bench's own process, without HTTP.
import { createCallbackHealth } from "../src/domain/callback-health.ts";
import { createDurations } from "../src/domain/duration-estimates.ts";
import { createFoundStarts } from "../src/domain/found-starts.ts";
import { createBacklog } from "../src/domain/queue-limit.ts";
import { systemClock } from "../src/lib/clock.ts";
import { idSource } from "../src/lib/id.ts";
import type { Context } from "../src/orchestration/context.ts";
import { type Submission, submit } from "../src/orchestration/submit-job.ts";
import { openStore, type Store } from "../src/store/store.ts";
import { createLogger } from "../src/telemetry/logger.ts";
import { createMetrics } from "../src/telemetry/metrics.ts";
import { createReport } from "../src/telemetry/report.ts";

export function openBenchStore(path: string): Store {
  return openStore({ kind: "sqlite", path }, systemClock, idSource(systemClock));
}

export async function openContext(path: string): Promise<Context> {
  const store = openBenchStore(path);
  await store.migrate();
  return {
    store,
    newId: idSource(systemClock),
    random: Math.random,
    rules: {
      pollMinMs: 5_000,
      pollMaxMs: 60_000,
      callbackGraceMs: 30_000,
      inDoubtAfterMs: 120_000,
      submitPatienceMs: 150_000,
    },
    health: createCallbackHealth({ asked: true, graceMs: 30_000 }),
    durations: createDurations(),
    backlog: createBacklog(),
    quotas: new Map(),
    foundStarts: createFoundStarts(),
    sharedLimits: null,
    report: createReport(createLogger("silent"), createMetrics()),
  };
}

/** Submits jobs of so many runs, each with an idempotency key of its own, and returns the job's id. */
export function submitter(context: Context): (jobs: object[]) => Promise<string> {
  return async (jobs) => {
    const sender = { apiKey: "bench", idempotencyKey: crypto.randomUUID(), body: JSON.stringify(jobs) };
    const result = await submit(context, sender, submissionOf(jobs.length));
    if (result.outcome !== "created") throw new Error(`the submission is a ${result.outcome}`);
    return result.job.id;
  };
}

function submissionOf(runs: number): Submission {
  const spec = { kind: "python" as const, code: "print(1 + 1)", timeout: 60, execution_type: "cpu" };
  return {
    name: null,
    runs: Array.from({ length: runs }, () => ({ spec, matrix: null })),
    priority: 0,
    maxParallel: null,
    onRunFailure: "continue",
    onLost: "fail",
    retry: { maxAttempts: 3, on: [] },
    deadlineS: null,
    budget: null,
    webhookUrl: null,
    metadata: undefined,
  };
}
