// The body of POST /v1/jobs.
import { z } from "zod";
import { combinationCount } from "../domain/matrix.ts";
import { onLost, retry } from "./policy.ts";
import { label, runSpec } from "./runspec.ts";
import { webhookUrl } from "./webhook.ts";

export const MOST_RUNS = 10_000;
export const MOST_BODY_BYTES = 8 * 1024 * 1024;

export const submission = z
  .strictObject({
    name: label.nullish(),
    runs: z.array(runSpec).min(1).max(MOST_RUNS).superRefine(limitFanOut),
    max_parallel: z.int().min(1).max(MOST_RUNS).nullish().describe("Runs of this job alive at once."),
    priority: z.int().min(-1_000).max(1_000).default(0).describe("Higher starts first."),
    on_run_failure: z
      .enum(["continue", "cancel_rest"])
      .default("continue")
      .describe("What becomes of the other runs when one has failed."),
    retry: retry.default({ max_attempts: 3, on: [] }),
    deadline_s: z
      .int()
      .min(1)
      .max(30 * 86_400)
      .nullish()
      .describe("Seconds from the submission."),
    budget: z
      .number()
      .min(0.000001)
      .max(1_000_000)
      .nullish()
      .describe(
        "Credits. Once the job's ended executions have cost as much, nothing more of it starts: what is alive goes on, " +
          "what waits fails with budget_reached.",
      ),
    on_lost: onLost.default("fail"),
    webhook_url: webhookUrl
      .nullish()
      .describe("Gets the job's end, signed with the service's WEBHOOK_SECRET."),
    metadata: z.unknown().optional().describe("Any JSON; given back as it is."),
  })
  .meta({ id: "Submission" });

/** All matrices expanded, a job has at most 10,000 runs. */
function limitFanOut(runs: z.output<typeof runSpec>[], context: z.RefinementCtx): void {
  const counts = runs.map((run) =>
    "matrix" in run && run.matrix !== undefined ? combinationCount(run.matrix) : 1,
  );
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total <= MOST_RUNS) return;
  const largest = counts.indexOf(Math.max(...counts));
  const message = `the matrices make ${total} runs; a job has at most ${MOST_RUNS}`;
  context.addIssue({ code: "custom", path: counts[largest] === 1 ? [] : [largest, "matrix"], message });
}

/** 1 to 255 visible characters. */
export const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/, "must have 1 to 255 printable ASCII characters");

export const cancelBody = z.strictObject({
  mode: z.enum(["abort", "stop"]).default("abort").describe("`abort` kills, `stop` ends gracefully."),
});
