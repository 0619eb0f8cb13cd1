// Errors as RFC 9457 problem details. `instance` names the request, not its path: a path may hold a token.
import type { Context } from "hono";
import type { Env } from "./call.ts";

const titles = {
  "invalid-json": [400, "The body is not JSON"],
  "bad-request": [400, "The request cannot be read"],
  unauthorized: [401, "No valid credentials"],
  forbidden: [403, "The API key may not do this"],
  "not-found": [404, "There is no such thing"],
  "not-ready": [404, "Not there yet"],
  unavailable: [404, "It could not be had"],
  "method-not-allowed": [405, "The method does not go with this path"],
  conflict: [409, "Not in this state"],
  "body-too-large": [413, "The body is too large"],
  "validation-failed": [422, "The request has invalid fields"],
  "idempotency-mismatch": [422, "The idempotency key was used for another body"],
  internal: [500, "Proctor met an unexpected error"],
  "too-many-waiting": [503, "As many wait as may"],
  "not-accepting": [503, "Proctor does not take requests now"],
} as const;

export type ProblemKind = keyof typeof titles;

export interface FieldError {
  /** RFC 6901, into the body; or `query:name`, `header:name`, `path:name`. */
  pointer: string;
  detail: string;
}

/** @param detail what is wrong and the way out; never a secret. */
export function problem(c: Context<Env>, kind: ProblemKind, detail: string, errors?: FieldError[]): Response {
  const [status, title] = titles[kind];
  const body = {
    type: `urn:proctor:problem:${kind}`,
    title,
    status,
    detail,
    instance: `urn:proctor:request:${c.get("requestId")}`,
    ...(errors === undefined ? {} : { errors }),
  };
  return c.body(JSON.stringify(body), status, { "Content-Type": "application/problem+json" });
}

/** All that is wrong, in one answer. */
export function invalid(c: Context<Env>, errors: FieldError[]): Response {
  const [first] = errors;
  const rest = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  return problem(c, "validation-failed", `${first?.pointer ?? ""}: ${first?.detail ?? ""}${rest}`, errors);
}

/** For whoever would wait or listen while too many do. */
export function tooMany(c: Context<Env>): Response {
  c.header("Retry-After", "5");
  return problem(
    c,
    "too-many-waiting",
    "too many requests wait or listen already; come back, or ask without waiting",
  );
}
