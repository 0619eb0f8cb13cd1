// Artifacts of an execution in the API: output, timing, metrics, logs.
import { z } from "zod";
import { returnCode } from "./execution.ts";
import { executionId, runId } from "./field.ts";
import { metricsSummary, summaryExample } from "./metrics.ts";

const ids = { run_id: runId, execution_id: executionId };
const shownIds = { run_id: "run_01kawv9x2m4t6r8s0p1q3n5v7w", execution_id: "exe_01kawv9x2m4t6r8s0p1q3n5v7w" };
const moment = z
  .string()
  .nullable()
  .meta({ description: "ISO 8601.", examples: ["2026-01-31T12:00:20.000Z"] });

export const output = z
  .object({
    ...ids,
    stdout: z.string(),
    stderr: z.string(),
    return_code: returnCode.nullable(),
    result: z.unknown().describe("Result of the code as Lyceum stored it: any JSON, null if there is none."),
    errors: z.string().nullable(),
    warnings: z.string().nullable(),
    install_log: z.string().nullable().describe("Output of the installation of the requirements."),
    install_return_code: z.int().nullable(),
    status_details: z.string().nullable(),
  })
  .meta({
    id: "Output",
    examples: [
      {
        ...shownIds,
        stdout: "2\n",
        stderr: "",
        return_code: 0,
        result: null,
        errors: null,
        warnings: null,
        install_log: null,
        install_return_code: null,
        status_details: null,
      },
    ],
  });

const phase = z
  .object({ start_time: moment, end_time: moment, duration: z.number().nullable() })
  .meta({ id: "TimingPhase" });

export const timing = z
  .object({
    ...ids,
    timing: z
      .object({
        start_time: moment.optional(),
        end_time: moment.optional(),
        phases: z.record(z.string(), phase).optional(),
      })
      .catchall(z.number())
      .describe(
        "Lyceum's document with Lyceum's field names. Figures are presumably seconds; fields that Lyceum omits are absent.",
      ),
  })
  .meta({
    id: "Timing",
    examples: [
      {
        ...shownIds,
        timing: {
          total: 48.21,
          phases: {
            execution: {
              start_time: "2026-01-31T12:00:20.000Z",
              end_time: "2026-01-31T12:01:08.210Z",
              duration: 48.21,
            },
          },
        },
      },
    ],
  });

const samples = z.array(z.object({ timestamp: moment, value: z.number() }).meta({ id: "MetricsSample" }));

export const metrics = z
  .object({
    ...ids,
    summary: metricsSummary,
    document: z
      .object({
        executionId: z.string().describe("Lyceum's id of the execution."),
        hostname: z.string().nullable(),
        timeRange: z.object({ start: moment, end: moment }).meta({ id: "MetricsTimeRange" }),
      })
      .catchall(samples)
      .describe("Lyceum's document: samples by series."),
  })
  .meta({
    id: "Metrics",
    examples: [
      {
        ...shownIds,
        summary: summaryExample,
        document: {
          executionId: "6f0c2a1e-6c1b-4d7e-9a54-0f5a3a1f2b77",
          hostname: "node-7",
          timeRange: { start: "2026-01-31T12:00:20.000Z", end: "2026-01-31T12:01:08.210Z" },
          gpuPowerWatt: [{ timestamp: "2026-01-31T12:00:21.000Z", value: 231 }],
        },
      },
    ],
  });

export const logEntry = z
  .object({
    timestamp: moment.describe("ISO 8601 in UTC, to the millisecond; null if Lyceum's text is not a time."),
    raw_timestamp: z
      .string()
      .optional()
      .describe("Lyceum's text if it differs: finer than a millisecond, in another format, or not a time."),
    message: z.string(),
    level: z.string().nullable(),
    hostname: z.string().nullable(),
    labels: z.record(z.string(), z.string()),
  })
  .meta({
    id: "LogEntry",
    examples: [
      {
        timestamp: "2026-01-31T12:00:21.000Z",
        message: "epoch 1",
        level: "info",
        hostname: null,
        labels: {},
      },
    ],
  });
