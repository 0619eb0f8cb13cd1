// What becomes of runs that fail or are lost: said by the job, or by a run for itself.
import { z } from "zod";
import { retryClasses } from "../domain/run.ts";

export const retry = z.strictObject({
  max_attempts: z
    .int()
    .min(1)
    .max(20)
    .default(3)
    .describe("Executions a run may have, the first one included."),
  on: z
    .array(z.enum(retryClasses))
    .max(retryClasses.length)
    .default([])
    .describe("What is tried again, with backoff."),
});

export const onLost = z
  .enum(["fail", "retry"])
  .describe("What becomes of a run whose submission can neither be confirmed nor ruled out.");
