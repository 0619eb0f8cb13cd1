// The body of POST /v1/jobs.
import { z } from "zod";
import { combinationCount, combinedLength } from "../domain/matrix.ts";
import { nextTurn } from "../lib/next-turn.ts";
import { valuesIn } from "./json-limits.ts";
import { onLost, retry } from "./policy.ts";
import { label, runSpec } from "./run-spec.ts";
import { webhookUrl } from "./webhook.ts";

export const MAX_RUNS = 10_000;
export const MAX_BODY_BYTES = 8 * 1024 * 1024;
const MAX_METADATA = 16 * 1024;
/** Limit over all runs of a job: each run stores its values, so a small body could fill the disk. */
const MAX_MATRIX_CHARACTERS = 16 * 1024 * 1024;
const MAX_VALUES_IN_A_RUN = 15_000;
/** Validation stops after this many issues. */
const MAX_ISSUES = 200;

export type Submission = z.output<typeof submission>;

export const submission = z
  .strictObject({
    name: label.nullish(),
    runs: z.array(runSpec).min(1).max(MAX_RUNS).superRefine(limitFanOut),
    max_parallel: z
      .int()
      .min(1)
      .max(MAX_RUNS)
      .nullish()
      .describe("Maximum number of the job's runs alive at once."),
    priority: z.int().min(-1_000).max(1_000).default(0).describe("Higher priorities start first."),
    on_run_failure: z
      .enum(["continue", "cancel_rest"])
      .default("continue")
      .describe("`cancel_rest`: cancel the other runs when a run fails."),
    retry: retry.default({ max_attempts: 3, on: [] }),
    deadline_s: z
      .int()
      .min(1)
      .max(30 * 86_400)
      .nullish()
      .describe("Seconds after submission. Runs that have not ended by then are cancelled."),
    budget: z
      .number()
      .min(0.000001)
      .max(1_000_000)
      .nullish()
      .describe(
        "Credits. Once the job's ended executions have cost this much, no more runs start: live runs continue, waiting " +
          "runs fail with `budget_reached`.",
      ),
    on_lost: onLost.default("fail"),
    webhook_url: webhookUrl
      .nullish()
      .describe("Receives the job's terminal event, signed with the service's WEBHOOK_SECRET."),
    metadata: z
      .unknown()
      .refine((value) => value === undefined || JSON.stringify(value).length <= MAX_METADATA, {
        message: `must be at most ${MAX_METADATA / 1024} KiB of JSON; store more elsewhere and refer to it here`,
      })
      .optional()
      .describe("Any JSON up to 16 KiB; returned unchanged."),
  })
  .meta({ id: "Submission" });

/** After expanding all matrices. */
function limitFanOut(runs: Run[], context: z.RefinementCtx): void {
  const issue = fanOutIssue(runs);
  if (issue !== null) context.addIssue({ code: "custom", ...issue });
}

function fanOutIssue(runs: Run[]): { path: PropertyKey[]; message: string } | null {
  const counts = runs.map((run) => ("matrix" in run && run.matrix ? combinationCount(run.matrix) : 1));
  const total = sumOf(counts);
  if (total > MAX_RUNS) {
    const largest = counts.indexOf(Math.max(...counts));
    const message = `the matrices make ${total} runs; a job has at most ${MAX_RUNS}`;
    return { path: counts[largest] === 1 ? [] : [largest, "matrix"], message };
  }
  const lengths = runs.map((run) => ("matrix" in run && run.matrix ? combinedLength(run.matrix) : 0));
  if (sumOf(lengths) <= MAX_MATRIX_CHARACTERS) return null;
  const message = "the values of all combinations have more than 16 MiB together; put shared values into env";
  return { path: [lengths.indexOf(Math.max(...lengths)), "matrix"], message };
}

function sumOf(numbers: number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

type Run = z.output<typeof runSpec>;

/** Run by run, and stops after MAX_ISSUES: a body full of errors would produce millions of issues. */
export async function parseSubmission(value: unknown) {
  const runs = runsIn(value);
  const widest = runs.findIndex((run) => valuesIn(run) > MAX_VALUES_IN_A_RUN);
  if (widest !== -1) return refusedFor(["runs", widest], "holds too many values");
  const whole = submission.safeParse(
    runs.length > 1 ? { ...(value as object), runs: runs.slice(0, 1) } : value,
  );
  const issues: z.core.$ZodIssue[] = whole.success ? [] : [...whole.error.issues];
  const rest: Run[] = [];
  for (let index = 1; index < runs.length && issues.length < MAX_ISSUES; index++) {
    const run = runSpec.safeParse(runs[index]);
    if (run.success) rest.push(run.data);
    else
      for (const issue of run.error.issues) issues.push({ ...issue, path: ["runs", index, ...issue.path] });
    if (index % RUNS_PER_TURN === 0) await nextTurn();
  }
  if (!whole.success || issues.length > 0) return { success: false as const, error: { issues } };
  const data = { ...whole.data, runs: [...whole.data.runs, ...rest] };
  const fanOut = fanOutIssue(data.runs);
  if (fanOut !== null) return refusedFor(["runs", ...fanOut.path], fanOut.message);
  return { success: true as const, data };
}

const RUNS_PER_TURN = 500;

function runsIn(value: unknown): unknown[] {
  const runs = typeof value === "object" && value !== null && "runs" in value ? value.runs : null;
  return Array.isArray(runs) ? runs : [];
}

function refusedFor(path: PropertyKey[], message: string) {
  const issue: z.core.$ZodIssue = { code: "custom", path, message, input: undefined };
  return { success: false as const, error: { issues: [issue] } };
}

/** 1 to 255 visible characters. */
export const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/, "must have 1 to 255 printable ASCII characters");

export const cancelBody = z
  .strictObject({
    mode: z
      .enum(["abort", "stop"])
      .default("abort")
      .describe("`abort` kills the execution, `stop` ends it gracefully."),
  })
  .meta({ id: "CancelRequest" });
