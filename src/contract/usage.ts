// Usage and machine types in the API.
import { z } from "zod";
import { count, credits, time } from "./field.ts";
import { cost } from "./job.ts";

const day = z.string().meta({ format: "date", description: "UTC.", examples: ["2026-01-31"] });
const spent = {
  executions: count.describe("Ended executions."),
  duration_ms: count.describe("Sum of durations at Lyceum in milliseconds."),
  cost,
};
const example = {
  executions: 4,
  duration_ms: 192_840,
  cost: { total: 0.42, billed: 0.4, estimated: 0.02, unpriced: 0 },
};

const idleGpu = z
  .object({
    duration_ms: count,
    cost: credits.describe("The same part of the cost."),
  })
  .meta({ id: "IdleGpu" });

const total = z.object(spent).meta({ id: "Spent" });
export type SpentView = z.output<typeof total>;

export const usage = z
  .object({
    from: day,
    to: day,
    data: z.array(
      z
        .object({
          day: day.optional().describe("With `group=day`. UTC."),
          key: z.string().optional().describe("With `group=key`: the API key's name."),
          hardware: z
            .string()
            .nullable()
            .optional()
            .describe("With `group=hardware`: the profile; null where Lyceum named none."),
          idle_gpu: idleGpu
            .optional()
            .describe("With `group=hardware`: the time in which GPUs were measured as idle."),
          ...spent,
        })
        .meta({ id: "UsageRow" }),
    ),
    next_cursor: z.null().describe("All rows are in one answer."),
    total,
    strays: total
      .nullable()
      .describe(
        "Executions that a restore found without their runs, by the day of their end. Not in `total`; null for submitters and with `key`.",
      ),
  })
  .meta({
    id: "Usage",
    examples: [
      {
        from: "2026-01-02",
        to: "2026-01-31",
        data: [{ day: "2026-01-31", ...example }],
        next_cursor: null,
        total: example,
        strays: { executions: 0, duration_ms: 0, cost: { total: 0, billed: 0, estimated: 0, unpriced: 0 } },
      },
    ],
  });
export type UsageView = z.output<typeof usage>;

export const machineTypes = z
  .object({
    data: z.array(
      z
        .object({
          hardware_profile: z.string().describe("Value for a run's `execution_type`."),
          price_per_hour: credits.nullable().describe("Credits per hour; null if unknown."),
          available: z
            .boolean()
            .nullable()
            .describe("Whether the account may use the hardware; null if unknown."),
        })
        .meta({ id: "MachineType" }),
    ),
    next_cursor: z.null().describe("All rows are in one answer."),
    fetched_at: time.nullable().describe("When the list was read from Lyceum; null before the first time."),
  })
  .meta({
    id: "MachineTypes",
    examples: [
      {
        data: [{ hardware_profile: "gpu.a100", price_per_hour: 1.5, available: true }],
        next_cursor: null,
        fetched_at: "2026-01-31T12:00:00.000Z",
      },
    ],
  });
export type MachineTypesView = z.output<typeof machineTypes>;
