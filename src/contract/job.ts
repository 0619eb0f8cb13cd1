// A job in the API.
import { z } from "zod";
import { jobStatuses } from "../domain/job.ts";
import { retryClasses, runStatuses } from "../domain/run.ts";
import { count, credits, eachOf, jobId, time, traceUrl } from "./field.ts";
import { fieldError } from "./problem.ts";

/** The cancellation of a job or run. */
export const cancellation = z
  .object({
    mode: z.enum(["abort", "stop"]).describe("`abort` kills executions, `stop` ends them gracefully."),
    cause: z
      .enum(["request", "deadline", "run_failure", "expired"])
      .describe(
        "`request`: a caller. `run_failure`: `on_run_failure` is `cancel_rest`. `expired`: alive for seven days.",
      ),
  })
  .meta({ id: "Cancellation" });

export const cost = z
  .object({
    total: credits.describe("Credits: sum of `billed` and `estimated`."),
    billed: credits.describe("Credits that Lyceum reported."),
    estimated: credits.describe("Credits calculated from price and duration where Lyceum reported none."),
    unpriced: count.describe("Ended executions of unknown cost."),
  })
  .meta({ id: "Cost", description: "Cost of ended executions." });
export type CostView = z.output<typeof cost>;

const shown = {
  id: jobId,
  name: z.string().nullable(),
  status: z.enum(jobStatuses).describe("`succeeded`, `failed` and `cancelled` are terminal."),
  counts: eachOf(runStatuses, count).meta({ id: "RunCounts", description: "Runs by status." }),
  progress: z.number().min(0).max(1).describe("Share of the runs that have ended."),
  priority: z.int(),
  max_parallel: count.nullable(),
  on_run_failure: z.enum(["continue", "cancel_rest"]),
  on_lost: z.enum(["fail", "retry"]),
  retry: z.object({ max_attempts: count, on: z.array(z.enum(retryClasses)) }).meta({ id: "JobRetryPolicy" }),
  metadata: z.unknown().describe("Any JSON, as submitted; null if none was."),
  webhook_url: z.string().nullable().describe("Readers see only the origin."),
  cancellation: cancellation.nullable().describe("Set from the request to cancel on."),
  cost,
  budget: z
    .object({
      limit: credits,
      spent: credits,
      reached: z.boolean().describe("No more runs of the job start."),
    })
    .meta({ id: "JobBudget" })
    .nullable(),
  deadline_at: time.nullable(),
  created_at: time,
  started_at: time.nullable().describe("When the first execution was created."),
  ended_at: time.nullable().describe("Null until the job is terminal."),
  deletion_requested_at: time
    .nullable()
    .describe("Set while the job and its records at Lyceum are being deleted."),
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

export const submittedJob = z
  .object({
    ...shown,
    warnings: z
      .array(fieldError)
      .describe("Fields that are probably wrong, such as hardware that Lyceum's catalogue does not name."),
  })
  .meta({ id: "SubmittedJob", examples: [{ ...example, warnings: [] }] });

export const jobDetails = z
  .object({
    ...shown,
    queue: z
      .object({
        position: z
          .int()
          .min(1)
          .describe("Position of the job's next run among all waiting runs; 1 starts next."),
        estimated_start_at: time
          .nullable()
          .describe("Estimate by the limit on starts; later submissions may be started earlier."),
      })
      .meta({ id: "QueuePosition" })
      .nullable()
      .describe("Null unless the job is queued."),
    trace_url: traceUrl,
  })
  .meta({ id: "JobDetails", examples: [{ ...example, queue: null, trace_url: null }] });
export type JobDetailsView = z.output<typeof jobDetails>;
