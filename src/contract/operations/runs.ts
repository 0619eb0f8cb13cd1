// Operations on runs and their artifacts.
import { z } from "zod";
import { logEntry, metrics, output, timing } from "../artifact.ts";
import { pageOf, shortPages } from "../field.ts";
import { logHeaders, logsHeaders, logsQuery } from "../logs.ts";
import { type Answer, json, jsonBodyOf, type Operation } from "../operation.ts";
import { artifactQuery, metricsQuery, runsQuery, waitQuery } from "../query.ts";
import { retryBody, run, runDetails } from "../run.ts";
import { submittedSpec } from "../spec.ts";
import { cancelBody } from "../submission.ts";

export const listRuns = {
  id: "listAllRuns",
  tag: "Runs",
  summary: "List runs over all jobs, newest first",
  description: `Submitters see runs of their own key, readers and administrators all runs. ${shortPages}`,
  query: runsQuery,
  answers: { 200: json(pageOf(run), "A page of runs.") },
} satisfies Operation;

export const getRun = {
  id: "getRun",
  tag: "Runs",
  summary: "Read a run, or wait for its end or outcome",
  query: waitQuery,
  answers: { 200: json(runDetails, "The run in its current state.") },
  problems: ["too-many-waiting"],
} satisfies Operation;

export const getSpec = {
  id: "getSpec",
  tag: "Runs",
  summary: "Read what was submitted for a run",
  description:
    "Values of `env`, registry logins and the texts of `extra` are hidden, and so is every place where one of these values of four characters or more stands in code, files or commands. Secrets that the code itself holds are shown.",
  answers: { 200: json(submittedSpec, "The fields of the submission.") },
} satisfies Operation;

export const cancelRun = {
  id: "cancelRun",
  tag: "Runs",
  summary: "Cancel a run",
  description:
    "A queued run ends at once, a live run when Lyceum has ended it. A run with an outcome does not change.",
  body: { ...jsonBodyOf(cancelBody, { stop: { mode: "stop" } }), isOptional: true },
  answers: { 200: json(runDetails, "The run in its current state.") },
} satisfies Operation;

export const retryRun = {
  id: "retryRun",
  tag: "Runs",
  summary: "Retry a run that did not succeed",
  description:
    "Adds a run to the job, with the original run as `retry_of`. The status of the job does not change.",
  body: { ...jsonBodyOf(retryBody, { nothing: {} }), isOptional: true },
  answers: { 202: json(runDetails, "The new run.", { Location: "The new run's path." }) },
  problems: ["conflict", "quota-exceeded"],
} satisfies Operation;

export const getOutput = artifact("getOutput", "Read a run's output and result", {
  ...json(output, "Standard output and error, return code and result."),
});

export const getTiming = artifact("getTiming", "Read a run's timing", {
  ...json(timing, "Lyceum's document."),
});

export const getMetrics = {
  ...artifact("getMetrics", "Read a run's metrics", {
    ...json(metrics, "Lyceum's document, with a summary."),
  }),
  description:
    "Metrics of the last execution, or of `attempt`, stored after its end. With `step`, `start` or `end` they are read " +
    "from Lyceum now, also for a live execution: at most 5,000 samples per series.",
  query: metricsQuery,
  problems: ["not-ready", "unavailable", "conflict", "lyceum-unavailable"],
} satisfies Operation;

const logLine = JSON.stringify(logEntry.meta()?.examples).replace(/^\[|\]$/g, "");

export const getLogs = {
  id: "getLogs",
  tag: "Runs",
  summary: "Read a run's log, or follow it",
  description:
    "Log of the last execution, or of `attempt`. While the execution lives: the lines that Lyceum shows now; Lyceum is " +
    "read at most once in 5 s for all readers of a run. With `follow` the answer stays open: it starts with the first " +
    "line, goes on with further attempts, and ends with the run. A line that Lyceum shows late comes late. In silence " +
    "a heartbeat is sent every 15 s: an empty line, or a comment in Server-Sent Events.",
  query: logsQuery,
  headers: logsHeaders,
  answers: {
    200: {
      description:
        "JSON lines; text with `Accept: text/plain`; with `follow` also Server-Sent Events, if no JSON type is listed.",
      content: {
        "application/x-ndjson": z
          .string()
          .meta({ description: "Each line is a `LogEntry`.", examples: [`${logLine}\n`] }),
        "text/plain": z.string().meta({
          description:
            "Each line has a UTC time, the level if known, and the message. With `follow`, lines that start with `# ` are notes.",
          examples: ["2026-01-31T12:00:21.000Z INFO epoch 1\n"],
        }),
        "text/event-stream": z.string().meta({
          description:
            "Events `log` with a `LogEntry`, and `note` with a `detail`, such as why there are no lines. The id is the place of the line, by which a reader resumes.",
          examples: [`id: 1.1\nevent: log\ndata: ${logLine}\n\n`],
        }),
      },
      headers: logHeaders,
    },
    204: { description: "`Last-Event-ID` is that of the end: the reader has everything." },
  },
  problems: ["not-ready", "unavailable", "lyceum-unavailable", "too-many-waiting"],
} satisfies Operation;

function artifact(id: string, summary: string, answer: Answer) {
  return {
    id,
    tag: "Runs",
    summary,
    description: "Artifact of the last execution, or of `attempt`, fetched after its end.",
    query: artifactQuery,
    answers: { 200: answer },
    problems: ["not-ready", "unavailable"],
  } satisfies Operation;
}
