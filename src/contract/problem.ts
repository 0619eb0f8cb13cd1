// Errors as RFC 9457 problem details: the kinds there are, and their shape.
import { z } from "zod";

/** By kind: the status, the title, and a detail as an example. */
export const problems = {
  "invalid-json": [400, "The body is not JSON", "cannot be parsed at position 12"],
  "bad-request": [400, "The request cannot be read", "the body broke off"],
  unauthorized: [401, "No valid credentials", "send a valid API key as Authorization: Bearer <key>"],
  forbidden: [403, "The API key may not do this", "a key with the role read cannot do this"],
  "not-found": [404, "There is no such thing", "nothing of yours has this id; it may have been deleted"],
  "not-ready": [
    404,
    "Not there yet",
    "it is fetched after the end; the execution is running, the run active",
  ],
  unavailable: [404, "It could not be had", "the execution is rejected: Lyceum has nothing to tell of it"],
  "method-not-allowed": [405, "The method does not go with this path", "use GET"],
  conflict: [409, "Not in this state", "the job has runs that have not ended; cancel it first"],
  "too-slow": [408, "The request came too slowly", "the request did not come to its end in time"],
  "job-deleted": [
    409,
    "The job of this idempotency key was deleted",
    "the job of this Idempotency-Key was deleted; use a new key for a new job",
  ],
  "unsupported-encoding": [415, "The body is encoded", "send the body as it is, without Content-Encoding"],
  "too-many-attempts": [429, "Too many wrong keys", "too many wrong keys; try again in 42 s"],
  "body-too-large": [413, "The body is too large", "at most 8192 KiB are taken here"],
  "validation-failed": [422, "The request has invalid fields", "/runs/0/timeout: must be at most 600"],
  "idempotency-mismatch": [
    422,
    "The idempotency key was used for another body",
    "this Idempotency-Key came with another body; use a new key for a new job",
  ],
  "headers-too-large": [431, "The headers are too large", "at most 16 KiB are taken, with the path"],
  internal: [
    500,
    "Proctor met an unexpected error",
    "the request was not carried out, or its outcome is not known",
  ],
  "queue-full": [
    503,
    "As many runs wait as may",
    "a million runs wait for their start; come back in a while",
  ],
  "lyceum-unavailable": [503, "Lyceum cannot be asked now", "no answers lately; come back in some seconds"],
  "too-many-waiting": [503, "As many wait as may", "too many requests wait or listen already; come back"],
  "database-unavailable": [
    503,
    "The database is unavailable",
    "the database cannot be used now; repeat the request in a while, a submission with its Idempotency-Key",
  ],
  "insufficient-storage": [
    507,
    "The database's disk is full",
    "nothing was stored: the operator has to make room; repeat the request later",
  ],
  "not-accepting": [503, "Proctor does not take requests now", "draining: the process is about to stop"],
} as const;

export type ProblemKind = keyof typeof problems;
export const problemKinds = Object.keys(problems) as ProblemKind[];

const fieldError = z.object({
  pointer: z
    .string()
    .describe("RFC 6901, into the body; or `query:name`, `header:name`, `path:name`.")
    .meta({ examples: ["/runs/0/timeout", "query:limit"] }),
  detail: z.string().describe("What is wrong with it, and the way out."),
});
export type FieldError = z.output<typeof fieldError>;

/** The body of every error. */
export const problem = z
  .object({
    type: z.enum(problemKinds.map((kind) => `urn:proctor:problem:${kind}` as const)),
    title: z.string().describe("The same for all of this type."),
    status: z.int().describe("The HTTP status."),
    detail: z.string().describe("What is wrong this time, and the way out; never a secret."),
    instance: z.string().describe("`urn:proctor:request:` and the `X-Request-Id` of the answer."),
    errors: z.array(fieldError).optional().describe("Everything that is wrong, with status 422."),
  })
  .meta({ id: "Problem", description: "Problem details as of RFC 9457." });
export type Problem = z.output<typeof problem>;

/** One of each kind, for the documentation. */
export function exampleOf(kind: ProblemKind): Problem {
  const [status, title, detail] = problems[kind];
  const type = `urn:proctor:problem:${kind}` as const;
  const body = {
    type,
    title,
    status,
    detail,
    instance: "urn:proctor:request:req_01kawv9x2m4t6r8s0p1q3n5v7w",
  };
  if (kind === "idempotency-mismatch")
    return { ...body, errors: [{ pointer: "header:Idempotency-Key", detail }] };
  if (kind !== "validation-failed") return body;
  return { ...body, errors: [{ pointer: "/runs/0/timeout", detail: "must be at most 600" }] };
}
