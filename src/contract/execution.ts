// An execution and the callbacks received for it, as the API shows them.
import { z } from "zod";
import { executionStatuses } from "../domain/execution.ts";
import { costSource, credits, durationMs, executionId, idOf, jobId, lyceumId, runId, time } from "./field.ts";

export const detectedBy = z.enum(["callback", "poll"]).describe("How its end came to be known first.");
export const returnCode = z.int().describe("The exit status.");
export const hardware = z.string().describe("Lyceum's hardware profile that it ran on.");

export const executionExample = {
  id: "exe_01kawv9x2m4t6r8s0p1q3n5v7w",
  run_id: "run_01kawv9x2m4t6r8s0p1q3n5v7w",
  job_id: "job_01kawv9x2m4t6r8s0p1q3n5v7w",
  attempt: 1,
  status: "completed",
  raw_status: "completed",
  in_doubt: false,
  lyceum_execution_id: "6f0c2a1e-6c1b-4d7e-9a54-0f5a3a1f2b77",
  detected_by: "callback",
  return_code: 0,
  duration_ms: 48_210,
  cost: 0.02,
  cost_source: "billed",
  hardware: "gpu.a100",
  error: null,
  submitted_at: "2026-01-31T12:00:01.250Z",
  accepted_at: "2026-01-31T12:00:01.900Z",
  started_at: "2026-01-31T12:00:20.000Z",
  ended_at: "2026-01-31T12:01:08.210Z",
  detected_at: "2026-01-31T12:01:08.400Z",
  next_check_at: null,
};

export const execution = z
  .object({
    id: executionId,
    run_id: runId,
    job_id: jobId,
    attempt: z.int().min(1).describe("Which of its run's executions it is, counted from 1."),
    status: z
      .enum(executionStatuses)
      .describe(
        "Lyceum's own words, and of ours `submitting`, `rejected` (Lyceum refused the request) and `lost` (nobody can say whether Lyceum took it).",
      ),
    raw_status: z.string().nullable().describe("Lyceum's word as it came."),
    in_doubt: z.boolean().describe("Its start had no clear answer, and Lyceum is being searched for it."),
    lyceum_execution_id: lyceumId.nullable(),
    detected_by: detectedBy.nullable(),
    return_code: returnCode.nullable(),
    duration_ms: durationMs.nullable(),
    cost: credits.nullable().describe("Credits; known from the end on, if at all."),
    cost_source: costSource.nullable(),
    hardware: hardware.nullable(),
    error: z.string().nullable().describe("What Lyceum said of its failure or refusal."),
    submitted_at: time.describe("When it was made, before anything was sent."),
    accepted_at: time.nullable().describe("When Lyceum was known to have it."),
    started_at: time.nullable().describe("By Lyceum's clock."),
    ended_at: time.nullable().describe("By Lyceum's clock."),
    detected_at: time.nullable().describe("When the end became known here."),
    next_check_at: time.nullable().describe("By when it is looked at next; null when never again."),
  })
  .meta({ id: "Execution", examples: [executionExample] });
export type ExecutionView = z.output<typeof execution>;

/** One POST from Lyceum. */
export const callback = z
  .object({
    id: idOf("cbk", "The callback's id."),
    execution_id: executionId,
    received_at: time,
    disposition: z
      .enum(["received", "early", "duplicate", "late"])
      .describe("`early`: before the submission's answer was known. `late`: after the end was known."),
    content_type: z.string().nullable(),
    content_encoding: z.string().nullable().describe("As the header has it."),
    body: z
      .string()
      .nullable()
      .describe(
        "As it came, but for secrets, which are hidden. What is no text, or may hold secrets that nobody can see, is shown to the job's key and to administrators alone; null for others.",
      ),
    body_encoding: z.enum(["utf8", "base64"]).nullable(),
    decoded_from: z
      .string()
      .nullable()
      .describe(
        "What was taken off before it is shown, outermost first: `gzip`, `deflate`, `br`, `utf-16le`…",
      ),
    note: z.string().nullable().describe("Why the body is not shown."),
    truncated: z.boolean().describe("There was more than 256 KiB; the rest was not kept."),
  })
  .meta({
    id: "Callback",
    examples: [
      {
        id: "cbk_01kawv9x2m4t6r8s0p1q3n5v7w",
        execution_id: executionExample.id,
        received_at: "2026-01-31T12:01:08.300Z",
        disposition: "received",
        content_type: "application/json",
        content_encoding: null,
        body: '{"status":"completed"}',
        body_encoding: "utf8",
        decoded_from: null,
        note: null,
        truncated: false,
      },
    ],
  });
export type CallbackView = z.output<typeof callback>;
