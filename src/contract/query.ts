// Query parameters of the reading routes. They arrive as text; an unknown one is refused by name.
import { z } from "zod";
import { jobStatuses } from "../domain/job.ts";
import { parseDuration } from "../lib/duration.ts";
import { label } from "./run-spec.ts";

/** Numbers arrive as text and are published as the numbers that they are. */
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
    description: "How many at most.",
    override: ({ jsonSchema }) =>
      shownAs(jsonSchema, { type: "integer", minimum: 1, maximum: 1_000, default: 50 }),
  });
const TIME = "must be an ISO 8601 time such as 2026-01-31T12:00:00Z";
const time = z.iso
  .datetime({
    offset: true,
    // In a query a plus stands for a blank.
    error: ({ input }) =>
      / \d\d:\d\d$/.test(String(input)) ? `${TIME}; write the + of an offset as %2B` : TIME,
  })
  .transform((value) => Date.parse(value))
  .meta({ override: ({ jsonSchema }) => shownAs(jsonSchema, { type: "string", format: "date-time" }) });

export const page = z.strictObject({
  limit,
  cursor: z.string().max(200).optional().describe("The `next_cursor` of the page before; opaque."),
});
export const jobsQuery = z.strictObject({
  ...page.shape,
  status: z.enum(jobStatuses).optional().describe("Those with this status."),
  name: label.optional().describe("Exactly this name."),
  created_after: time.optional().describe("ISO 8601, with `Z` or an offset."),
  created_before: time.optional().describe("ISO 8601, with `Z` or an offset."),
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
    .regex(/^[1-9]\d{0,3}$/, "must be the number of an attempt, counted from 1")
    .transform(Number)
    .optional()
    .meta({
      description: "Which of the run's executions, counted from 1; left out: the last.",
      override: ({ jsonSchema }) => shownAs(jsonSchema, { type: "integer", minimum: 1, maximum: 9_999 }),
    }),
});
export const metricsQuery = z.strictObject({
  ...artifactQuery.shape,
  step: z
    .string()
    .regex(/^[1-9]\d{0,3}[smh]$/, "must be a distance of samples such as 5s, 15s or 1m")
    .optional()
    .meta({
      description:
        "The distance of samples. With any of `step`, `start` and `end` Lyceum is asked at once, and nothing is stored; " +
        "left out beside another of them, it follows the length of the span.",
      override: { examples: ["15s"] },
    }),
  start: time.optional().describe("The first moment, ISO 8601; left out: the execution's start."),
  end: time.optional().describe("The last moment, ISO 8601; left out: the execution's end, or now."),
});
export const waitQuery = z.strictObject({
  wait: z
    .string()
    .max(20)
    .transform((text, context) => {
      const waitMs = parseDuration(text);
      if (waitMs !== null && waitMs <= MAX_WAIT_MS) return waitMs;
      context.addIssue({ code: "custom", message: "must be a duration of 60s at most, such as 30s" });
      return z.NEVER;
    })
    .optional()
    .meta({
      description: "Answer as soon as it is over (see `for`), or as it stands after this time: 60s at most.",
      override: { examples: ["30s"] },
    }),
  for: z
    .enum(["end", "outcome"])
    .default("end")
    .describe(
      "What `wait` waits for. `end`: until it is terminal. `outcome`: until the run's outcome is known, of a job that of every run; artifacts may still be missing. Changes nothing without `wait`.",
    ),
});
export const removeQuery = z.strictObject({
  remote: z
    .enum(["true", "false"])
    .default("false")
    .transform((value) => value === "true")
    .describe("Delete Lyceum's records, too."),
});
const day = z.iso
  .date("must be a day such as 2026-01-31")
  .meta({ override: ({ jsonSchema }) => shownAs(jsonSchema, { type: "string", format: "date" }) });
export const usageQuery = z.strictObject({
  from: day.optional().describe("The first day (UTC); left out: 29 days before the last."),
  to: day.optional().describe("The last day (UTC), included; left out: today. At most 366 days in all."),
  group: z.enum(["day", "key"]).default("day").describe("A row per day, or per API key."),
  key: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, "must be the name of an API key")
    .optional()
    .describe("Of this API key's name alone."),
});
export const noQuery = z.strictObject({});

const MAX_WAIT_MS = 60_000;
