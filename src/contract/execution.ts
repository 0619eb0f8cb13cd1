// Executions and their callbacks in the API.
import { z } from "zod";
import { executionStatuses } from "../domain/execution.ts";
import { costSource, credits, durationMs, executionId, idOf, jobId, lyceumId, runId, time } from "./field.ts";

export const detectedBy = z.enum(["callback", "poll"]).describe("How the end was detected first.");
export const returnCode = z.int().describe("Exit code.");
export const hardware = z.string().describe("Lyceum's hardware profile of the execution.");

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
    attempt: z.int().min(1).describe("Number of the execution among its run's executions, from 1."),
    status: z
      .enum(executionStatuses)
      .describe(
        "Lyceum's status, or one of Proctor's own: `submitting`, `rejected` (Lyceum refused the start) and `lost` (unknown whether Lyceum accepted the start).",
      ),
    raw_status: z.string().nullable().describe("Lyceum's status as received."),
    in_doubt: z
      .boolean()
      .describe("The start had no clear answer; the execution is being searched for at Lyceum."),
    lyceum_execution_id: lyceumId.nullable(),
    detected_by: detectedBy.nullable(),
    return_code: returnCode.nullable(),
    duration_ms: durationMs.nullable(),
    cost: credits.nullable().describe("Credits; null until known."),
    cost_source: costSource.nullable(),
    hardware: hardware.nullable(),
    error: z.string().nullable().describe("Lyceum's reason for the failure or refusal."),
    submitted_at: time.describe("When the execution was created, before the start was sent."),
    accepted_at: time.nullable().describe("When Lyceum's acceptance became known."),
    started_at: time.nullable().describe("Start by Lyceum's clock."),
    ended_at: time.nullable().describe("End by Lyceum's clock."),
    detected_at: time.nullable().describe("When Proctor detected the end."),
    next_check_at: time.nullable().describe("Time of the next check; null if there is none."),
  })
  .meta({ id: "Execution", examples: [executionExample] });

export const executionAlone = execution
  .extend({
    streaming_url: z
      .string()
      .nullable()
      .describe(
        "Where Lyceum streams live output; its protocol is not documented. Null for readers and administrators of other keys' jobs, and where Lyceum names none.",
      ),
  })
  .meta({
    id: "ExecutionAlone",
    examples: [{ ...executionExample, streaming_url: "https://stream.example.com/s/6f0c2a1e" }],
  });
export type ExecutionView = z.output<typeof execution>;

export const callback = z
  .object({
    id: idOf("cbk", "The callback's id."),
    execution_id: executionId,
    received_at: time,
    disposition: z
      .enum(["received", "early", "duplicate", "late"])
      .describe("`early`: before the answer to the start. `late`: after the end was known."),
    content_type: z.string().nullable(),
    content_encoding: z.string().nullable().describe("Value of the header."),
    body: z
      .string()
      .nullable()
      .describe(
        "Body as received, with secrets hidden. A body that is not text, or that cannot be searched for secrets, is null for readers.",
      ),
    body_encoding: z.enum(["utf8", "base64"]).nullable(),
    decoded_from: z
      .string()
      .nullable()
      .describe("Encodings removed from the body, outermost first: `gzip`, `deflate`, `br`, `utf-16le`…"),
    note: z.string().nullable().describe("Why the body is not shown."),
    truncated: z.boolean().describe("The body was longer than 256 KiB; the rest was cut off."),
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
