// What is published of the routes about runs and what they left.
import { z } from "zod";
import { logEntry, logHeaders, metrics, output, timing } from "../artifact.ts";
import { type Answer, json, jsonBodyOf, type Operation } from "../operation.ts";
import { artifactQuery, metricsQuery, waitQuery } from "../query.ts";
import { retryBody, run } from "../run.ts";
import { submittedSpec } from "../spec.ts";
import { cancelBody } from "../submission.ts";

export const getRun: Operation = {
  id: "getRun",
  tag: "Runs",
  summary: "Read a run, or wait for its end or outcome",
  query: waitQuery,
  answers: { 200: json(run, "The run; after a wait that was too short, as it stands.") },
  problems: ["too-many-waiting"],
};

export const getSpec: Operation = {
  id: "getSpec",
  tag: "Runs",
  summary: "Read what was submitted for a run",
  description:
    "Values of `env`, registry logins and the texts of `extra` are hidden, and so is every place where one of these values of four characters or more stands in code, files or commands. Secrets that the code itself holds are shown.",
  answers: { 200: json(submittedSpec, "The fields of the submission.") },
};

export const cancelRun: Operation = {
  id: "cancelRun",
  tag: "Runs",
  summary: "Cancel a run",
  description:
    "A run that waits ends at once, one that is alive once Lyceum says so. One that has its outcome stays as it is.",
  body: { ...jsonBodyOf(cancelBody, { stop: { mode: "stop" } }), isOptional: true },
  answers: { 200: json(run, "The run as it stands now.") },
};

export const retryRun: Operation = {
  id: "retryRun",
  tag: "Runs",
  summary: "Repeat a run that did not succeed",
  description:
    "Makes a new run in the same job, which names its origin as `retry_of`. The job's status stays as it is.",
  body: { ...jsonBodyOf(retryBody, { nothing: {} }), isOptional: true },
  answers: { 202: json(run, "The new run.", { Location: "The new run's path." }) },
  problems: ["conflict"],
};

export const getOutput: Operation = artifact("getOutput", "What a run printed and returned", {
  ...json(output, "Standard output and error, return code and result."),
});

export const getTiming: Operation = artifact("getTiming", "How long a run's phases took", {
  ...json(timing, "Lyceum's document."),
});

export const getMetrics: Operation = {
  ...artifact("getMetrics", "What a run did with its hardware", {
    ...json(metrics, "Lyceum's document, with a summary."),
  }),
  description:
    "Of the last execution, or of the one that `attempt` names. What was stored after the execution's end; with `step`, " +
    "`start` or `end` what Lyceum says now, of a live execution too: at most 5,000 samples a series.",
  query: metricsQuery,
  problems: ["not-ready", "unavailable", "conflict", "lyceum-unavailable"],
};

export const getLogs: Operation = artifact("getLogs", "A run's log", {
  description: "JSON lines, one entry each; or text with `Accept: text/plain` and no JSON type beside it.",
  content: {
    "application/x-ndjson": z.string().meta({
      description: "Each line is a `LogEntry`.",
      examples: [`${JSON.stringify(logEntry.meta()?.examples)}\n`.replace(/^\[|\](?=\n$)/g, "")],
    }),
    "text/plain": z.string().meta({
      description: "Each line is a UTC time, the level where there is one, and the message.",
      examples: ["2026-01-31T12:00:21.000Z INFO epoch 1\n"],
    }),
  },
  headers: logHeaders,
});

function artifact(id: string, summary: string, answer: Answer): Operation {
  return {
    id,
    tag: "Runs",
    summary,
    description:
      "Of the last execution, or of the one that `attempt` names. Fetched after the execution's end.",
    query: artifactQuery,
    answers: { 200: answer },
    problems: ["not-ready", "unavailable"],
  };
}
