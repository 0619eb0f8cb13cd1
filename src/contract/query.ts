// Query parameters of the reading routes. They arrive as text; an unknown one is refused by name.
import { z } from "zod";
import { jobStatuses } from "../domain/job.ts";

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
  name: z.string().min(1).max(200).optional(),
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
export const noQuery = z.strictObject({});
