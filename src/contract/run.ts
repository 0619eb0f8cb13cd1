// A run as the API shows it: what it shows of Lyceum is its last execution's, but the cost is that of all.
import { z } from "zod";
import { outcomes, runStatuses } from "../domain/run.ts";
import { detectedBy, execution, executionExample, hardware, returnCode } from "./execution.ts";
import { costSource, count, credits, durationMs, jobId, lyceumId, runId, time } from "./field.ts";
import { cancellation } from "./job.ts";
import { energyWh, idleShare, series } from "./metrics.ts";

export const runKind = z.enum(["python", "image", "compose", "gpu_selection"]);
export const matrixValues = z
  .record(z.string(), z.string())
  .describe("The values of the submission's `matrix` that this run has in its environment.");

const artifact = z
  .object({
    state: z.enum(["pending", "stored", "unavailable"]),
    reason: z.string().nullable().describe("Why it could not be had, or not yet."),
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
    "How the run ended: known as soon as its end is, while its artifacts are still being fetched. Null before, never changes afterwards, and `status` becomes the same.",
  );

const gpu = z
  .object({
    hardware: hardware.nullable(),
    utilization_percent: series.nullable(),
    memory_utilization_percent: series.nullable(),
    energy_wh: energyWh.nullable(),
    idle_share: idleShare,
  })
  .meta({ id: "GpuSummary" });

const compared = z
  .object({
    lyceum_execution_id: z.string(),
    hardware: hardware.nullable(),
    status: z
      .string()
      .nullable()
      .describe("As an execution's, or Lyceum's own word where that is not known."),
    duration_ms: durationMs.nullable(),
    cost: credits.nullable(),
    cost_source: costSource.nullable(),
    fastest: z.boolean(),
    cheapest: z.boolean(),
  })
  .meta({ id: "ComparedHardware" });

const finding = z
  .object({
    code: z.enum(["gpu_idle"]).describe("`gpu_idle`: a GPU was paid for and hardly used."),
    detail: z.string(),
    cost: credits.nullable().describe("Credits of the execution that it is about."),
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
    position: count.describe("Its place among the job's runs, counted from 0."),
    name: z.string().nullable(),
    kind: runKind,
    status: z
      .enum(runStatuses)
      .describe(
        "`collecting`: over at Lyceum, and what it left is being fetched. The last three never change.",
      ),
    outcome,
    attempts: count.describe("Executions so far; a throttled or refused connection is none."),
    execution_type: z.string().nullable().describe("The hardware profile that was asked for."),
    timeout: z.int().min(1).describe("Seconds; Lyceum's own limit on an execution."),
    matrix: matrixValues.nullable(),
    retry_of: runId.nullable().describe("The run that this one repeats."),
    cancellation: cancellation.nullable(),
    error: z
      .object({
        code: z
          .string()
          .describe(
            "`failed`, `timeout`, `system_failure`, `rejected`, `lost`, `cancelled`, `deadline_exceeded`, `budget_reached` or `expired`; more may come.",
          ),
        detail: z.string(),
      })
      .nullable()
      .describe("Why it did not succeed, or why its last attempt did not."),
    created_at: time,
    started_at: time.nullable().describe("When its first execution was made."),
    ended_at: time.nullable().describe("Null exactly while it is not terminal."),
    not_before: time.nullable().describe("While queued: it does not start earlier."),
    lyceum_execution_id: lyceumId.nullable(),
    detected_by: detectedBy.nullable(),
    return_code: returnCode.nullable(),
    duration_ms: durationMs.nullable(),
    cost: credits.nullable().describe("Credits of all of its executions, as far as they are known."),
    cost_source: costSource.nullable(),
    hardware: hardware.nullable(),
    gpu: gpu.nullable().describe("From the metrics, where there is a GPU among them."),
    findings: z.array(finding).describe("What is worth telling though nobody asked."),
    gpu_selection: z
      .array(compared)
      .nullable()
      .describe("For the kind `gpu_selection`: the same code on several kinds of hardware, fastest first."),
    artifacts: z.object({ record: artifact, timing: artifact, logs: artifact, metrics: artifact }),
    executions: z.array(execution),
  })
  .meta({ id: "Run", examples: [example] });
export type RunView = z.output<typeof run>;

/** Nothing can be changed for the repetition. */
export const retryBody = z.strictObject({});
