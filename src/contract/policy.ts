// The policy for failed and lost runs, given for a job or a run.
import { z } from "zod";
import { retryClasses } from "../domain/run.ts";

export const retry = z
  .strictObject({
    max_attempts: z
      .int()
      .min(1)
      .max(20)
      .default(3)
      .describe("Maximum number of executions per run, including the first."),
    on: z
      .array(z.enum(retryClasses))
      .max(retryClasses.length)
      .default([])
      .describe(
        "Ends of an execution that are retried, with backoff: how it ended, or the `error.reason` found for it.",
      ),
  })
  .meta({ id: "RetryPolicy" });

export const onLost = z
  .enum(["fail", "retry"])
  .describe("What to do with a run whose start can be neither confirmed nor ruled out.");
