// A job as the API shows it.
import { z } from "zod";
import { jobStatuses } from "../domain/job.ts";
import { retryClasses, runStatuses } from "../domain/run.ts";
import { count, credits, eachOf, jobId, time } from "./field.ts";

/** Why something is to end before its time. */
export const cancellation = z
  .object({
    mode: z.enum(["abort", "stop"]).describe("`abort` kills, `stop` ends gracefully."),
    cause: z
      .enum(["request", "deadline", "run_failure", "expired"])
      .describe("A caller, the job's deadline, `on_run_failure: cancel_rest`, or it lived for seven days."),
  })
  .meta({ id: "Cancellation" });

export const cost = z
  .object({
    total: credits.describe("Credits: `billed` and `estimated` together."),
    billed: credits.describe("Credits by Lyceum's own figures."),
    estimated: credits.describe("Credits by price and duration, where Lyceum gave no figure."),
    unpriced: count.describe("Executions that have ended and whose cost nobody knows."),
  })
  .meta({ id: "Cost", description: "What ended executions cost." });
export type CostView = z.output<typeof cost>;

const shown = {
  id: jobId,
  name: z.string().nullable(),
  status: z.enum(jobStatuses).describe("`succeeded`, `failed` and `cancelled` never change."),
  counts: eachOf(runStatuses, count).describe("Runs by status."),
  progress: z.number().min(0).max(1).describe("The share of the runs that have ended."),
  priority: z.int(),
  max_parallel: count.nullable(),
  on_run_failure: z.enum(["continue", "cancel_rest"]),
  on_lost: z.enum(["fail", "retry"]),
  retry: z.object({ max_attempts: count, on: z.array(z.enum(retryClasses)) }),
  metadata: z.unknown().describe("Any JSON, as it was given; null without."),
  webhook_url: z.string().nullable().describe("To readers its origin alone."),
  cancellation: cancellation.nullable().describe("While it is being cancelled, and afterwards."),
  cost,
  budget: z
    .object({ limit: credits, spent: credits, reached: z.boolean().describe("Nothing more of it starts.") })
    .nullable(),
  deadline_at: time.nullable(),
  created_at: time,
  started_at: time.nullable().describe("When its first execution was made."),
  ended_at: time.nullable().describe("Null exactly while it is not terminal."),
  deletion_requested_at: time
    .nullable()
    .describe("It is being deleted together with its records at Lyceum, and gone when that is done."),
};

const example: z.output<z.ZodObject<typeof shown>> = {
  id: "job_01kawv9x2m4t6r8s0p1q3n5v7w",
  name: "learning-rate sweep",
  status: "active",
  counts: { queued: 1, active: 2, collecting: 0, succeeded: 1, failed: 0, cancelled: 0 },
  progress: 0.25,
  priority: 0,
  max_parallel: 4,
  on_run_failure: "continue",
  on_lost: "fail",
  retry: { max_attempts: 3, on: ["system_failure"] },
  metadata: { team: "vision" },
  webhook_url: null,
  cancellation: null,
  cost: { total: 0.42, billed: 0.4, estimated: 0.02, unpriced: 0 },
  budget: { limit: 10, spent: 0.42, reached: false },
  deadline_at: null,
  created_at: "2026-01-31T12:00:00.000Z",
  started_at: "2026-01-31T12:00:01.250Z",
  ended_at: null,
  deletion_requested_at: null,
};

export const job = z.object(shown).meta({ id: "Job", examples: [example] });
export type JobView = z.output<typeof job>;

/** One job, with its place in the queue. */
export const jobDetails = z
  .object({
    ...shown,
    queue: z
      .object({
        position: z.int().min(1).describe("Of its next run among all that wait; 1 starts next."),
        estimated_start_at: time
          .nullable()
          .describe("By the limit on starts; others may still come before it."),
      })
      .nullable()
      .describe("Only while the job is queued."),
  })
  .meta({ id: "JobDetails", examples: [{ ...example, queue: null }] });
export type JobDetailsView = z.output<typeof jobDetails>;
