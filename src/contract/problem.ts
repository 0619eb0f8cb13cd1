// Errors as RFC 9457 problem details: their kinds and their shape.
import { z } from "zod";

export const problems = {
  "invalid-json": [400, "Invalid JSON", "cannot be parsed at position 12"],
  "bad-request": [400, "Bad request", "the body is incomplete: the connection broke"],
  unauthorized: [401, "Invalid API key", "send a valid API key as Authorization: Bearer <key>"],
  forbidden: [403, "Forbidden", "the role read does not permit this"],
  "not-found": [404, "Not found", "no job with this id is visible to this API key"],
  "not-ready": [
    404,
    "Not ready",
    "artifacts are fetched after the end; the execution is running, the run active",
  ],
  unavailable: [404, "Artifact unavailable", "the execution is rejected: Lyceum has no record of it"],
  "method-not-allowed": [405, "Method not allowed", "use GET"],
  conflict: [409, "Conflict", "the job has runs that have not ended; cancel it first"],
  "too-slow": [408, "Request timeout", "the request was not complete in time"],
  "job-deleted": [
    409,
    "Job deleted",
    "the job of this Idempotency-Key was deleted; use a new key for a new job",
  ],
  "unsupported-encoding": [
    415,
    "Unsupported encoding",
    "send the body uncompressed, without Content-Encoding",
  ],
  "too-many-attempts": [429, "Too many attempts", "too many wrong keys; try again in 42 s"],
  "quota-exceeded": [
    429,
    "Quota exceeded",
    "this key may submit 100 runs in each 1h and has 3 left: try again in 1260 s",
  ],
  "body-too-large": [413, "Body too large", "the limit is 8192 KiB"],
  "validation-failed": [422, "Invalid fields", "/runs/0/timeout: must be at most 600"],
  "idempotency-mismatch": [
    422,
    "Idempotency key reused",
    "this Idempotency-Key was used with another body; use a new key for a new job",
  ],
  "headers-too-large": [431, "Headers too large", "headers and path together may have 16 KiB"],
  internal: [
    500,
    "Internal error",
    "the request failed, or its outcome is unknown; check before you repeat it",
  ],
  "queue-full": [503, "Queue is full", "a million runs are waiting to start; try again later"],
  "lyceum-unavailable": [503, "Lyceum unavailable", "Lyceum does not answer; try again in some seconds"],
  "too-many-waiting": [
    503,
    "Too many open waits",
    "too many requests wait or stream already; try again later",
  ],
  "database-unavailable": [
    503,
    "Database unavailable",
    "the database is unavailable; repeat the request later, a submission with its Idempotency-Key",
  ],
  "insufficient-storage": [
    507,
    "Database disk full",
    "nothing was stored: free disk space, then repeat the request",
  ],
  "not-accepting": [503, "Not accepting requests", "draining: the process is shutting down"],
} as const;

export type ProblemKind = keyof typeof problems;
export const problemKinds = Object.keys(problems) as ProblemKind[];

export const fieldError = z
  .object({
    pointer: z
      .string()
      .describe("JSON pointer (RFC 6901) into the body; or `query:name`, `header:name`, `path:name`.")
      .meta({ examples: ["/runs/0/timeout", "query:limit"] }),
    detail: z.string().describe("The problem and the way out."),
  })
  .meta({ id: "FieldError" });
export type FieldError = z.output<typeof fieldError>;

export const problem = z
  .object({
    type: z.enum(problemKinds.map((kind) => `urn:proctor:problem:${kind}` as const)),
    title: z.string().describe("The same for all problems of this type."),
    status: z.int().describe("The HTTP status."),
    detail: z.string().describe("This occurrence of the problem and the way out; never a secret."),
    instance: z.string().describe("`urn:proctor:request:` followed by the answer's `X-Request-Id`."),
    errors: z.array(fieldError).optional().describe("All invalid fields, with status 422."),
  })
  .meta({ id: "Problem", description: "Problem details per RFC 9457." });
export type Problem = z.output<typeof problem>;

/** For the documentation. */
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
