// Operations on runs and their artifacts.
import { z } from "zod";
import { logEntry, logHeaders, metrics, output, timing } from "../artifact.ts";
import { pageOf, shortPages } from "../field.ts";
import { type Answer, json, jsonBodyOf, type Operation } from "../operation.ts";
import { artifactQuery, metricsQuery, runsQuery, waitQuery } from "../query.ts";
import { retryBody, run } from "../run.ts";
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
  answers: { 200: json(run, "The run in its current state.") },
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
  answers: { 200: json(run, "The run in its current state.") },
} satisfies Operation;

export const retryRun = {
  id: "retryRun",
  tag: "Runs",
  summary: "Retry a run that did not succeed",
  description:
    "Adds a run to the job, with the original run as `retry_of`. The status of the job does not change.",
  body: { ...jsonBodyOf(retryBody, { nothing: {} }), isOptional: true },
  answers: { 202: json(run, "The new run.", { Location: "The new run's path." }) },
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

export const getLogs = artifact("getLogs", "Read a run's log", {
  description: "JSON lines; or text with `Accept: text/plain` and no JSON type.",
  content: {
    "application/x-ndjson": z.string().meta({
      description: "Each line is a `LogEntry`.",
      examples: [`${JSON.stringify(logEntry.meta()?.examples)}\n`.replace(/^\[|\](?=\n$)/g, "")],
    }),
    "text/plain": z.string().meta({
      description: "Each line has a UTC time, the level if known, and the message.",
      examples: ["2026-01-31T12:00:21.000Z INFO epoch 1\n"],
    }),
  },
  headers: logHeaders,
});

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
