// The client's error: a refusal with the service's problem document, or no answer.
import { readRetryAfter } from "../lib/retry-after.ts";
import type { components, ProblemKind } from "./schema.ts";

/** Problem details per RFC 9457. */
export type Problem = components["schemas"]["Problem"];

/** The kind of problem, or an error of the client itself. Later versions of the service may have further kinds. */
export type ErrorCode =
  | ProblemKind
  | "unreachable"
  | "unreadable"
  | "timeout"
  | "misconfigured"
  | (string & {});

interface ErrorDetails {
  code: ErrorCode;
  message: string;
  problem?: Problem | null;
  status?: number | null;
  requestId?: string | null;
  attempts?: number;
  retryAfterMs?: number | null;
  cause?: unknown;
}

export class ProctorError extends Error {
  override readonly name = "ProctorError";
  /**
   * `not-found`, `validation-failed`, …, or of the client: `unreachable` (no answer), `unreadable` (not the service's
   * answer), `timeout` (the limit of a wait is over), `misconfigured` (no usable URL or key).
   */
  readonly code: ErrorCode;
  /** HTTP status of the last answer; null without an answer. */
  readonly status: number | null;
  readonly problem: Problem | null;
  /** Id of the request in the service's log. */
  readonly requestId: string | null;
  readonly attempts: number;
  readonly retryAfterMs: number | null;

  constructor(details: ErrorDetails) {
    super(details.message, { cause: details.cause });
    this.code = details.code;
    this.problem = details.problem ?? null;
    this.status = details.status ?? null;
    this.requestId = details.requestId ?? null;
    this.attempts = details.attempts ?? 1;
    this.retryAfterMs = details.retryAfterMs ?? null;
  }

  /** True if the same request may succeed later. */
  get isTransient(): boolean {
    return this.code === "unreachable" || this.status === 429 || (this.status ?? 0) >= 500;
  }
}

export async function errorOf(response: Response, attempts: number): Promise<ProctorError> {
  const { status } = response;
  const text = await response.text();
  const problem = readProblem(text);
  const about = {
    status,
    attempts,
    requestId: response.headers.get("X-Request-Id"),
    retryAfterMs: readRetryAfter(response.headers.get("Retry-After"), Date.now()),
  };
  if (problem === null)
    return new ProctorError({
      ...about,
      code: "unreadable",
      message: `answered ${status} ${text.slice(0, 200)}`,
    });
  const code = problem.type.split(":").at(-1) ?? "unreadable";
  return new ProctorError({ ...about, code, problem, message: `${problem.title}: ${problem.detail}` });
}

function readProblem(text: string): Problem | null {
  try {
    const document = JSON.parse(text) as Partial<Problem> | null;
    return typeof document?.type === "string" && typeof document.detail === "string"
      ? (document as Problem)
      : null;
  } catch {
    return null;
  }
}
