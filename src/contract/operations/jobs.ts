// What is published of the routes about jobs.
import { z } from "zod";
import { pageOf } from "../field.ts";
import { job, jobDetails } from "../job.ts";
import { type Answer, json, jsonBodyOf, type Operation } from "../operation.ts";
import { jobsQuery, page, removeQuery, waitQuery } from "../query.ts";
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

export const submitJob: Operation = {
  id: "submitJob",
  tag: "Jobs",
  summary: "Submit a job",
  description:
    "Answered only once the job is durable. A body may have 8 MiB. A run's fields are Lyceum's own, under Lyceum's names and within Lyceum's limits; `name`, `env`, `files`, `matrix` and `extra` are Proctor's. Unknown fields are refused by name.",
  headers: z.object({
    "Idempotency-Key": idempotencyKey
      .optional()
      .describe(
        "The same key with the same body gives the same job again; with another body it is refused. Scoped to the API key.",
      )
      .meta({ examples: ["sweep-1"] }),
  }),
  body: jsonBodyOf(submission, { sweep, smallest }),
  answers: {
    200: json(job, "The job that this key has made before, as it stands now.", {
      ...submitted,
      "Idempotency-Replayed": "`true`.",
    }),
    202: json(job, "The job is durable and will be taken to its end.", submitted),
  },
  problems: ["idempotency-mismatch", "job-deleted", "unsupported-encoding", "queue-full"],
};

export const listJobs: Operation = {
  id: "listJobs",
  tag: "Jobs",
  summary: "List jobs, newest first",
  description: "Submitters see those of their own key, readers and administrators all.",
  query: jobsQuery,
  answers: { 200: json(pageOf(job), "A page of jobs.") },
};

export const getJob: Operation = {
  id: "getJob",
  tag: "Jobs",
  summary: "Read a job, or wait for its end or outcome",
  query: waitQuery,
  answers: { 200: json(jobDetails, "The job; after a wait that was too short, as it stands.") },
  problems: ["too-many-waiting"],
};

export const deleteJob: Operation = {
  id: "deleteJob",
  tag: "Jobs",
  summary: "Delete a terminal job",
  description:
    "With all that belongs to it. Refused while a run has not ended, and while a lost execution is watched for (an hour): it may show up and cost money. With `remote=true` Lyceum's records go first, and the job with the last of them: it answers 404 in the end.",
  query: removeQuery,
  answers: {
    202: json(job, "It is deleted with its records at Lyceum."),
    204: { description: "It is gone." },
  },
  problems: ["conflict"],
};

export const listRuns: Operation = {
  id: "listRuns",
  tag: "Jobs",
  summary: "List a job's runs, with their executions",
  query: page,
  answers: { 200: json(pageOf(run), "A page of runs, in the order of the submission.") },
};

export const cancelJob: Operation = {
  id: "cancelJob",
  tag: "Jobs",
  summary: "Cancel a job",
  description:
    "What waits ends at once, what is alive once Lyceum says so. A job whose runs all have their outcomes stays as it is.",
  body: { ...jsonBodyOf(cancelBody, { stop: { mode: "stop" } }), isOptional: true },
  answers: { 200: json(job, "The job as it stands now.") },
};

const csv: Answer["content"] = {
  "text/csv": z.string().meta({
    description: "RFC 4180 with a header; one column per name of the matrix.",
    examples: ["run_id,position,name,LR,status\r\n"],
  }),
};

export const listResults: Operation = {
  id: "listResults",
  tag: "Jobs",
  summary: "A job's results, a row per run",
  description: "With `Accept: text/csv` all of them at once as CSV; `limit` and `cursor` are refused then.",
  query: page,
  answers: {
    200: {
      ...json(pageOf(resultRow), "A page of rows, in the order of the submission; or all of them as CSV."),
      content: { ...json(pageOf(resultRow), "").content, ...csv },
    },
  },
};
