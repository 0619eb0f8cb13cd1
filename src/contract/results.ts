// A job's results: one row per run.
import { z } from "zod";
import { runStatuses } from "../domain/run.ts";
import { hardware, returnCode } from "./execution.ts";
import { costSource, count, credits, durationMs, runId } from "./field.ts";
import { energyWh, idleShare } from "./metrics.ts";
import { failureReason, matrixValues, outcome } from "./run.ts";

/** Fields come from the last attempt; the cost is that of all attempts. */
export const resultRow = z
  .object({
    run_id: runId,
    position: count,
    name: z.string().nullable(),
    matrix: matrixValues.nullable(),
    status: z.enum(runStatuses),
    attempts: count,
    return_code: returnCode.nullable(),
    duration_ms: durationMs.nullable(),
    cost: credits.nullable().describe("Credits of all executions."),
    cost_source: costSource.nullable(),
    hardware: hardware.nullable(),
    gpu_utilization_percent: z.number().nullable().describe("Mean over time."),
    gpu_idle_share: idleShare.nullable(),
    energy_wh: energyWh.nullable(),
    error_code: z.string().nullable(),
    error_reason: failureReason.nullable(),
    retry_of: runId.nullable().describe("The run that this run retries."),
    outcome,
  })
  .meta({
    id: "ResultRow",
    examples: [
      {
        run_id: "run_01kawv9x2m4t6r8s0p1q3n5v7w",
        position: 0,
        name: "a",
        matrix: { LR: "0.1" },
        status: "succeeded",
        attempts: 1,
        return_code: 0,
        duration_ms: 48_210,
        cost: 0.02,
        cost_source: "billed",
        hardware: "gpu.a100",
        gpu_utilization_percent: 71.2,
        gpu_idle_share: 0.04,
        energy_wh: 3.1,
        error_code: null,
        error_reason: null,
        retry_of: null,
        outcome: "succeeded",
      },
    ],
  });
export type ResultRow = z.output<typeof resultRow>;
