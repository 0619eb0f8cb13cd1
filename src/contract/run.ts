// A run in the API. Fields of Lyceum come from the last execution, the cost from all executions.
import { z } from "zod";
import { failureReasons } from "../domain/failure-reason.ts";
import { outcomes, runStatuses } from "../domain/run.ts";
import { detectedBy, execution, executionExample, hardware, returnCode } from "./execution.ts";
import { costSource, count, credits, durationMs, jobId, lyceumId, runId, time, traceUrl } from "./field.ts";
import { cancellation } from "./job.ts";
import { energyWh, idleShare, series } from "./metrics.ts";

export const runKind = z.enum(["python", "image", "compose", "gpu_selection"]);
export const matrixValues = z
  .record(z.string(), z.string())
  .describe("The values of `matrix` in this run's environment.");

const artifact = z
  .object({
    state: z.enum(["pending", "stored", "unavailable"]),
    reason: z.string().nullable().describe("Why the artifact is unavailable or still pending."),
    fetched_at: time.nullable(),
  })
  .meta({
    id: "ArtifactState",
    examples: [{ state: "stored", reason: null, fetched_at: "2026-01-31T12:01:09.000Z" }],
  });
export type ArtifactView = z.output<typeof artifact>;

export const outcome = z
  .enum(outcomes)
  .nullable()
  .describe(
    "How the run ended. Known as soon as the end is, while artifacts are still being fetched; null before, and never changes afterwards.",
  );

export const failureReason = z
  .enum(failureReasons)
  .describe(
    "The likely cause of the failure, found in the exit code, Lyceum's status details and the end of the output; more may come. Null when none was found.",
  );

const gpu = z
  .object({
    hardware: hardware.nullable(),
    utilization_percent: series.nullable(),
    memory_utilization_percent: series.nullable(),
    energy_wh: energyWh.nullable(),
    idle_share: idleShare.nullable(),
  })
  .meta({ id: "GpuSummary" });

const comparedHardware = z
  .object({
    lyceum_execution_id: z.string(),
    hardware: hardware.nullable(),
    status: z
      .string()
      .nullable()
      .describe("Status of the execution, or Lyceum's own word if unknown to Proctor."),
    duration_ms: durationMs.nullable(),
    cost: credits.nullable(),
    cost_source: costSource.nullable(),
    fastest: z.boolean(),
    cheapest: z.boolean(),
  })
  .meta({ id: "ComparedHardware" });

const finding = z
  .object({
    code: z.enum(["gpu_idle"]).describe("`gpu_idle`: a paid GPU was hardly used."),
    detail: z.string(),
    cost: credits.nullable().describe("Credits of the execution concerned."),
  })
  .meta({ id: "Finding" });

const stored = { state: "stored", reason: null, fetched_at: "2026-01-31T12:01:09.000Z" };
const example = {
  id: "run_01kawv9x2m4t6r8s0p1q3n5v7w",
  job_id: "job_01kawv9x2m4t6r8s0p1q3n5v7w",
  position: 0,
  name: "a",
  kind: "python",
  status: "succeeded",
  outcome: "succeeded",
  attempts: 1,
  execution_type: "gpu.a100",
  timeout: 60,
  matrix: { LR: "0.1" },
  retry_of: null,
  cancellation: null,
  error: null,
  created_at: "2026-01-31T12:00:00.000Z",
  started_at: "2026-01-31T12:00:01.250Z",
  ended_at: "2026-01-31T12:01:15.000Z",
  not_before: null,
  lyceum_execution_id: executionExample.lyceum_execution_id,
  detected_by: "callback",
  return_code: 0,
  duration_ms: 48_210,
  cost: 0.02,
  cost_source: "billed",
  hardware: "gpu.a100",
  gpu: {
    hardware: "gpu.a100",
    utilization_percent: { mean: 71.2, max: 99, p95: 97, samples: 48 },
    memory_utilization_percent: null,
    energy_wh: 3.1,
    idle_share: 0.04,
  },
  findings: [],
  gpu_selection: null,
  artifacts: { record: stored, timing: stored, logs: stored, metrics: stored },
  executions: [executionExample],
};

export const run = z
  .object({
    id: runId,
    job_id: jobId,
    position: count.describe("Index among the job's runs, from 0."),
    name: z.string().nullable(),
    kind: runKind,
    status: z
      .enum(runStatuses)
      .describe(
        "`collecting`: ended at Lyceum, artifacts are being fetched. `succeeded`, `failed` and `cancelled` are terminal.",
      ),
    outcome,
    attempts: count.describe("Executions so far. Throttled or refused connections do not count."),
    execution_type: z.string().nullable().describe("The requested hardware profile."),
    timeout: z.int().min(1).describe("Seconds after which Lyceum ends an execution."),
    matrix: matrixValues.nullable(),
    retry_of: runId.nullable().describe("The run that this run retries."),
    cancellation: cancellation.nullable(),
    error: z
      .object({
        code: z
          .string()
          .describe(
            "`failed`, `timeout`, `system_failure`, `rejected`, `lost`, `cancelled`, `deadline_exceeded`, `budget_reached` or `expired`; more may come.",
          ),
        detail: z.string(),
        reason: failureReason.nullable(),
      })
      .meta({ id: "RunError" })
      .nullable()
      .describe("Why the run, or its last attempt, did not succeed."),
    created_at: time,
    started_at: time.nullable().describe("When the first execution was created."),
    ended_at: time.nullable().describe("Null until the run is terminal."),
    not_before: time.nullable().describe("Earliest start of a queued run."),
    lyceum_execution_id: lyceumId.nullable(),
    detected_by: detectedBy.nullable(),
    return_code: returnCode.nullable(),
    duration_ms: durationMs.nullable(),
    cost: credits.nullable().describe("Credits of all executions, as far as known."),
    cost_source: costSource.nullable(),
    hardware: hardware.nullable(),
    gpu: gpu.nullable().describe("Summary of the GPU metrics; null without a GPU."),
    findings: z.array(finding).describe("Hints on wasted cost."),
    gpu_selection: z
      .array(comparedHardware)
      .nullable()
      .describe("For the kind `gpu_selection`: the same code on each kind of hardware, fastest first."),
    artifacts: z
      .object({ record: artifact, timing: artifact, logs: artifact, metrics: artifact })
      .meta({ id: "ArtifactStates" }),
    executions: z.array(execution),
  })
  .meta({ id: "Run", examples: [example] });
export type RunView = z.output<typeof run>;

export const runDetails = z
  .object({ ...run.shape, trace_url: traceUrl })
  .meta({ id: "RunDetails", examples: [{ ...example, trace_url: null }] });
export type RunDetailsView = z.output<typeof runDetails>;

/** A retry has no options. */
export const retryBody = z.strictObject({}).meta({ id: "RetryRequest" });
