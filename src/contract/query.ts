// Query parameters of the reading routes. They arrive as text; an unknown one is refused by name.
import { z } from "zod";
import { parseDuration } from "../domain/duration.ts";
import { jobStatuses } from "../domain/job.ts";
import { label } from "./runspec.ts";

const limit = z
  .string()
  .regex(/^\d{1,4}$/, "must be a whole number from 1 to 1000")
  .transform(Number)
  .pipe(z.int().min(1).max(1_000))
  .default(50);
const time = z.iso
  .datetime({ offset: true, message: "must be an ISO 8601 time such as 2026-01-31T12:00:00Z" })
  .transform((value) => Date.parse(value));

export const page = z.strictObject({ limit, cursor: z.string().max(200).optional() });
export const jobsQuery = z.strictObject({
  ...page.shape,
  status: z.enum(jobStatuses).optional(),
  name: label.optional(),
  created_after: time.optional(),
  created_before: time.optional(),
});
export const artifactQuery = z.strictObject({
  attempt: z
    .string()
    .regex(/^[1-9]\d{0,3}$/, "must be the number of an attempt, counted from 1")
    .transform(Number)
    .optional(),
});
export const waitQuery = z.strictObject({
  wait: z
    .string()
    .max(20)
    .transform((text, context) => {
      const waitMs = parseDuration(text);
      if (waitMs !== null && waitMs <= MOST_WAIT_MS) return waitMs;
      context.addIssue({ code: "custom", message: "must be a duration of 60s at most, such as 30s" });
      return z.NEVER;
    })
    .optional(),
});
export const removeQuery = z.strictObject({
  remote: z
    .enum(["true", "false"])
    .default("false")
    .transform((value) => value === "true"),
});
const day = z.iso.date("must be a day such as 2026-01-31");
export const usageQuery = z.strictObject({
  from: day.optional(),
  to: day.optional(),
  group: z.enum(["day", "key"]).default("day"),
  key: z.string().min(1).max(64).optional(),
});
export const noQuery = z.strictObject({});

const MOST_WAIT_MS = 60_000;
