// Operations on jobs.
import { z } from "zod";
import { pageOf, shortPages } from "../field.ts";
import { job, jobDetails, submittedJob } from "../job.ts";
import { type Answer, json, jsonBodyOf, type Operation } from "../operation.ts";
import { jobRunsQuery, jobsQuery, page, removeQuery, waitQuery } from "../query.ts";
import { resultRow } from "../results.ts";
import { run } from "../run.ts";
import { cancelBody, idempotencyKey, submission } from "../submission.ts";

const submitted = { Location: "The job's path." };
const sweep = {
  name: "learning-rate sweep",
  runs: [
    {
      kind: "python",
      name: "train",
      code: 'import os; print(os.environ["LR"])',
      requirements_content: "numpy\n",
      files: { "helpers/io.py": "X = 1\n" },
      execution_type: "gpu.a100",
      timeout: 300,
      matrix: { LR: ["0.1", "0.01"] },
    },
    {
      kind: "image",
      name: "baseline",
      docker_image_ref: "python:3.13",
      docker_run_cmd: ["python", "-c", "print(2)"],
      env: { SEED: "7" },
    },
  ],
  max_parallel: 4,
  retry: { max_attempts: 3, on: ["system_failure"] },
  deadline_s: 3600,
  metadata: { team: "vision" },
};
const smallest = { runs: [{ kind: "python", code: "print(1 + 1)" }] };

export const submitJob = {
  id: "submitJob",
  tag: "Jobs",
  summary: "Submit a job",
  description:
    "The answer is sent once the job is durable. A body may have 8 MiB. A run has Lyceum's own fields with Lyceum's names and limits; `name`, `env`, `files`, `matrix` and `extra` are Proctor's. Unknown fields are refused by name.",
  headers: z.object({
    "Idempotency-Key": idempotencyKey
      .optional()
      .describe(
        "The same key with the same body returns the same job; another body is refused. Scoped to the API key.",
      )
      .meta({ examples: ["sweep-1"] }),
  }),
  body: { ...jsonBodyOf(submission, { sweep, smallest }), isReadByHandler: true },
  answers: {
    200: json(submittedJob, "The job that this key created before, in its current state.", {
      ...submitted,
      "Idempotency-Replayed": "`true`.",
    }),
    202: json(submittedJob, "The job is durable and will run to its end.", submitted),
  },
  problems: ["idempotency-mismatch", "job-deleted", "unsupported-encoding", "queue-full", "quota-exceeded"],
} satisfies Operation;

export const listJobs = {
  id: "listJobs",
  tag: "Jobs",
  summary: "List jobs, newest first",
  description: `Submitters see jobs of their own key, readers and administrators all jobs. ${shortPages}`,
  query: jobsQuery,
  answers: { 200: json(pageOf(job), "A page of jobs.") },
} satisfies Operation;

export const getJob = {
  id: "getJob",
  tag: "Jobs",
  summary: "Read a job, or wait for its end or outcome",
  query: waitQuery,
  answers: { 200: json(jobDetails, "The job in its current state.") },
  problems: ["too-many-waiting"],
} satisfies Operation;

export const deleteJob = {
  id: "deleteJob",
  tag: "Jobs",
  summary: "Delete a terminal job",
  description:
    "Deletes the job with its runs, executions, artifacts and events: it is gone from every answer at once, and its rows are removed soon after. Refused while a run has not ended, and for an hour while a lost execution may still show up and cost money. With `remote=true`, Lyceum's records are deleted first, then the job.",
  query: removeQuery,
  answers: {
    202: json(job, "The job and its records at Lyceum are being deleted."),
    204: { description: "The job is deleted." },
  },
  problems: ["conflict"],
} satisfies Operation;

export const listRuns = {
  id: "listRuns",
  tag: "Jobs",
  summary: "List a job's runs, with their executions",
  description: `In the order of submission, or as \`sort\` says. ${shortPages}`,
  query: jobRunsQuery,
  answers: { 200: json(pageOf(run), "A page of runs.") },
} satisfies Operation;

export const cancelJob = {
  id: "cancelJob",
  tag: "Jobs",
  summary: "Cancel a job",
  description:
    "Queued runs end at once, live runs when Lyceum has ended them. A job whose runs all have outcomes does not change.",
  body: { ...jsonBodyOf(cancelBody, { stop: { mode: "stop" } }), isOptional: true },
  answers: { 200: json(job, "The job in its current state.") },
} satisfies Operation;

const csv: Answer["content"] = {
  "text/csv": z.string().meta({
    description: "RFC 4180 with a header; one column per name of the matrix.",
    examples: ["run_id,position,name,LR,status\r\n"],
  }),
};

export const listResults = {
  id: "listResults",
  tag: "Jobs",
  summary: "List a job's results, one row per run",
  description: "With `Accept: text/csv` all rows as CSV, without `limit` and `cursor`.",
  query: page,
  answers: {
    200: {
      ...json(pageOf(resultRow), "A page of rows, in the order of submission; or all rows as CSV."),
      content: { ...json(pageOf(resultRow), "").content, ...csv },
    },
  },
} satisfies Operation;
