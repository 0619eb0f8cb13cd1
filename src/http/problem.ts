// Errors as RFC 9457 problem details. `instance` names the request, not its path: a path may hold a token.
import type { Context } from "hono";
import { type FieldError, type Problem, type ProblemKind, problems } from "../contract/problem.ts";
import { DatabaseUnavailable } from "../lib/database-error.ts";
import { IncompleteBody } from "./body.ts";
import type { AppContext, Env } from "./request-context.ts";

/** @param detail what is wrong and the way out; never a secret. */
export function problem(c: Context<Env>, kind: ProblemKind, detail: string, errors?: FieldError[]): Response {
  c.set("problem", kind);
  const { status, headers, text } = problemText(c.get("requestId"), kind, detail, errors);
  return c.body(text, status, headers);
}

export function problemText(requestId: string, kind: ProblemKind, detail: string, errors?: FieldError[]) {
  const [status, title] = problems[kind];
  const body: Problem = {
    type: `urn:proctor:problem:${kind}`,
    title,
    status,
    detail,
    instance: `urn:proctor:request:${requestId}`,
    ...(errors === undefined ? {} : { errors }),
  };
  const retryAfter = retryAfterS[kind];
  const headers = {
    "Content-Type": "application/problem+json",
    ...(retryAfter === undefined ? {} : { "Retry-After": retryAfter }),
  };
  return { status, headers, text: JSON.stringify(body) };
}

/** Ends without the caller's doing. */
const retryAfterS: Partial<Record<ProblemKind, string>> = {
  "database-unavailable": "2",
  "insufficient-storage": "30",
};

export function unexpectedProblem(context: AppContext, error: unknown): [kind: ProblemKind, detail: string] {
  if (error instanceof IncompleteBody) return ["bad-request", error.message];
  // The service has stopped, and the request took longer.
  if (context.store.isClosed()) return ["database-unavailable", problems["database-unavailable"][2]];
  context.report.fault("http", error);
  if (error instanceof DatabaseUnavailable) {
    const kind = error.type === "full" ? "insufficient-storage" : "database-unavailable";
    // The database's own message may name hosts and paths, so the message goes to the log only.
    return [kind, problems[kind][2]];
  }
  return ["internal", "the request failed, or its outcome is unknown; check before you repeat it"];
}

export function tooManyWrongKeys(c: Context<Env>, pauseMs: number): Response {
  const seconds = Math.ceil(pauseMs / 1_000);
  c.header("Retry-After", String(seconds));
  return problem(c, "too-many-attempts", `too many wrong keys; try again in ${seconds} s`);
}

export function unauthorized(c: Context<Env>, detail: string): Response {
  c.header("WWW-Authenticate", "Bearer");
  return problem(c, "unauthorized", detail);
}

export function invalid(c: Context<Env>, errors: FieldError[]): Response {
  const [first] = errors;
  const rest = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  return problem(c, "validation-failed", `${first?.pointer ?? ""}: ${first?.detail ?? ""}${rest}`, errors);
}

export function tooMany(c: Context<Env>): Response {
  c.header("Retry-After", "5");
  return problem(
    c,
    "too-many-waiting",
    "too many requests wait or stream already; try again later, or read without waiting",
  );
}
