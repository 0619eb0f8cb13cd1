// Query parameters. They arrive as text; unknown parameters are refused by name.
import { z } from "zod";
import { jobStatuses } from "../domain/job.ts";
import { outcomes, runStatuses } from "../domain/run.ts";
import { parseDuration } from "../lib/duration.ts";
import { label } from "./run-spec.ts";

/** With its actual schema, such as an integer. */
export function shownAs(published: object, schema: object): void {
  for (const name of ["type", "pattern", "minLength", "maxLength"]) Reflect.deleteProperty(published, name);
  Object.assign(published, schema);
}

const limit = z
  .string()
  .regex(/^\d{1,4}$/, "must be a whole number from 1 to 1000")
  .transform(Number)
  .pipe(z.int().min(1).max(1_000))
  .default(50)
  .meta({
    description: "Maximum number of entries on the page.",
    override: ({ jsonSchema }) =>
      shownAs(jsonSchema, { type: "integer", minimum: 1, maximum: 1_000, default: 50 }),
  });
const TIME = "must be an ISO 8601 time such as 2026-01-31T12:00:00Z";
const time = z.iso
  .datetime({
    offset: true,
    // In a query, `+` means a blank.
    error: ({ input }) =>
      / \d\d:\d\d$/.test(String(input)) ? `${TIME}; write the + of an offset as %2B` : TIME,
  })
  .transform((value) => Date.parse(value))
  .meta({ override: ({ jsonSchema }) => shownAs(jsonSchema, { type: "string", format: "date-time" }) });

export const page = z.strictObject({
  limit,
  cursor: z.string().max(200).optional().describe("The `next_cursor` of the previous page; opaque."),
});
/** Some of these words, separated by commas. */
function someOf<W extends string>(words: readonly W[]) {
  const any = `(?:${words.join("|")})`;
  return z
    .string()
    .max(200)
    .regex(new RegExp(`^${any}(?:,${any})*$`), `must be some of ${words.join(", ")}, separated by commas`)
    .transform((text) => [...new Set(text.split(","))] as W[])
    .meta({ override: { examples: [words.slice(-2).join(",")] } });
}

const created = {
  created_after: time.optional().describe("ISO 8601, with `Z` or an offset."),
  created_before: time.optional().describe("ISO 8601, with `Z` or an offset."),
};
const keyName = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, "must be the name of an API key");

export const jobsQuery = z.strictObject({
  ...page.shape,
  status: someOf(jobStatuses)
    .optional()
    .describe("Only jobs with one of these statuses, separated by commas."),
  name: label.optional().describe("Only jobs with exactly this name."),
  key: keyName.optional().describe("Only jobs of this API key; submitters see only their own."),
  ...created,
});

const code = z.string().regex(/^[a-z][a-z_]{0,63}$/, "must be a code such as timeout");
const runFilters = {
  status: someOf(runStatuses)
    .optional()
    .describe("Only runs with one of these statuses, separated by commas."),
  outcome: z.enum(outcomes).optional().describe("Only runs with this outcome."),
  name: label.optional().describe("Only runs with exactly this name."),
  kind: z
    .enum(["python", "image", "compose", "gpu_selection"])
    .optional()
    .describe("Only runs of this kind."),
  hardware: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,100}$/, "must be a hardware profile such as cpu or gpu.a100")
    .optional()
    .describe(
      "Only runs whose last execution ran on this profile, or asked for it while the profile is not known.",
    ),
  error_code: code.optional().describe("Only runs with this `error.code`."),
  reason: code.optional().describe("Only runs with this `error.reason`."),
  ...created,
};
export type RunFilterQuery = z.output<z.ZodObject<typeof runFilters>>;

export const runsQuery = z.strictObject({
  ...page.shape,
  job_id: z
    .string()
    .regex(/^job_[0-9a-z]{26}$/, "must be a job's id")
    .optional()
    .describe("Only runs of this job."),
  ...runFilters,
});

const runOrders = ["position", "duration", "cost", "ended_at"] as const;
export const jobRunsQuery = z.strictObject({
  ...page.shape,
  sort: z
    .enum(runOrders.flatMap((order) => [order, `-${order}`] as const))
    .default("position")
    .describe("The order; with `-` before it descending. Runs without the value come last."),
  ...runFilters,
});
const dispositions = ["received", "early", "duplicate", "late"] as const;
export const inboxQuery = z.strictObject({
  ...page.shape,
  disposition: z.enum(dispositions).optional().describe("Only callbacks with this disposition."),
  execution_id: z
    .string()
    .regex(/^exe_[0-9a-z]{26}$/, "must be an execution's id")
    .optional()
    .describe("Only callbacks for this execution."),
  received_after: time.optional().describe("ISO 8601, with `Z` or an offset."),
  received_before: time.optional().describe("ISO 8601, with `Z` or an offset."),
});
export const artifactQuery = z.strictObject({
  attempt: z
    .string()
    .regex(/^[1-9]\d{0,3}$/, "must be the number of an attempt, from 1")
    .transform(Number)
    .optional()
    .meta({
      description: "Number of the run's execution, from 1; default: the last.",
      override: ({ jsonSchema }) => shownAs(jsonSchema, { type: "integer", minimum: 1, maximum: 9_999 }),
    }),
});
export const metricsQuery = z.strictObject({
  ...artifactQuery.shape,
  step: z
    .string()
    .regex(/^[1-9]\d{0,3}[smh]$/, "must be an interval between samples such as 5s, 15s or 1m")
    .optional()
    .meta({
      description:
        "Interval between samples. With `step`, `start` or `end` the metrics are read from Lyceum now and not stored. " +
        "Default: depends on the length of the span.",
      override: { examples: ["15s"] },
    }),
  start: time.optional().describe("Begin of the span, ISO 8601; default: the execution's start."),
  end: time.optional().describe("End of the span, ISO 8601; default: the execution's end, or now."),
});
export const waitQuery = z.strictObject({
  wait: z
    .string()
    .max(20)
    .transform((text, context) => {
      const waitMs = parseDuration(text);
      if (waitMs !== null && waitMs <= MAX_WAIT_MS) return waitMs;
      context.addIssue({ code: "custom", message: "must be a duration of at most 60s, such as 30s" });
      return z.NEVER;
    })
    .optional()
    .meta({
      description:
        "Wait up to this duration (60s at most) for the end or outcome, see `for`. After it, the current state is returned.",
      override: { examples: ["30s"] },
    }),
  for: z
    .enum(["end", "outcome"])
    .default("end")
    .describe(
      "The aim of `wait`. `end`: a terminal status. `outcome`: the outcome of the run, or of all runs of the job; artifacts may still be missing. Ignored without `wait`.",
    ),
});
export const removeQuery = z.strictObject({
  remote: z
    .enum(["true", "false"])
    .default("false")
    .transform((value) => value === "true")
    .describe("Also delete the records at Lyceum."),
});
const day = z.iso
  .date("must be a day such as 2026-01-31")
  .meta({ override: ({ jsonSchema }) => shownAs(jsonSchema, { type: "string", format: "date" }) });
export const usageQuery = z.strictObject({
  from: day.optional().describe("First day (UTC); default: 29 days before the last."),
  to: day.optional().describe("Last day (UTC), inclusive; default: today. At most 366 days in total."),
  group: z
    .enum(["day", "key", "hardware"])
    .default("day")
    .describe("One row per day, per API key or per hardware profile."),
  key: keyName.optional().describe("Only usage of the API key with this name."),
});
export const noQuery = z.strictObject({});

const MAX_WAIT_MS = 60_000;
