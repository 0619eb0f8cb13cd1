// A stray: an execution at Lyceum whose run the restored database does not have.
import { z } from "zod";
import { hardware } from "./execution.ts";
import { costSource, credits, durationMs, executionId, lyceumId, time } from "./field.ts";

export const stray = z
  .object({
    id: executionId.describe("The execution's id, as its marker at Lyceum has it."),
    lyceum_execution_id: lyceumId,
    file_name: z.string().nullable().describe("The name at Lyceum; it ends with the run's name."),
    lyceum_status: z.string().describe("Lyceum's own word."),
    hardware: hardware.nullable(),
    found_at: time,
    started_at: time.nullable().describe("By Lyceum."),
    ended_at: time.nullable().describe("By Lyceum."),
    duration_ms: durationMs.nullable(),
    cost: credits.nullable(),
    cost_source: costSource.nullable(),
    settled: z
      .boolean()
      .describe("True once end and cost are decided; until then the execution is followed."),
  })
  .meta({
    id: "Stray",
    examples: [
      {
        id: "exe_01kawv9x2m4t6r8s0p1q3n5v7w",
        lyceum_execution_id: "b7a1c1c0-5f0e-4a44-9c57-0f0e0d0c0b0a",
        file_name: "exe_01kawv9x2m4t6r8s0p1q3n5v7w-a",
        lyceum_status: "completed",
        hardware: "gpu.a100",
        found_at: "2026-01-31T13:00:00.000Z",
        started_at: "2026-01-31T12:00:10.000Z",
        ended_at: "2026-01-31T12:10:10.000Z",
        duration_ms: 600_000,
        cost: 0.25,
        cost_source: "billed",
        settled: true,
      },
    ],
  });
export type StrayView = z.output<typeof stray>;
