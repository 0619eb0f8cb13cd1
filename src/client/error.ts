// What goes wrong, as one class: a refusal with the service's problem document, or no answer at all.
import { readRetryAfter } from "../lib/retry-after.ts";

/** RFC 9457, as the service answers it. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance?: string;
  /** All that is wrong with the request, at once. */
  errors?: { pointer: string; detail: string }[];
}

interface Circumstances {
  code: string;
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
   * The problem's own word (`not-found`, `validation-failed`, `conflict`…), or `unreachable` (no answer),
   * `unreadable` (an answer that is not the service's), `timeout` (the time given to a wait is over), `misconfigured`
   * (no usable URL or API key).
   */
  readonly code: string;
  /** Of the last answer; null without one. */
  readonly status: number | null;
  readonly problem: Problem | null;
  /** What the service's log calls the request. */
  readonly requestId: string | null;
  /** How often it was tried. */
  readonly attempts: number;
  readonly retryAfterMs: number | null;

  constructor(it: Circumstances) {
    super(it.message, { cause: it.cause });
    this.code = it.code;
    this.problem = it.problem ?? null;
    this.status = it.status ?? null;
    this.requestId = it.requestId ?? null;
    this.attempts = it.attempts ?? 1;
    this.retryAfterMs = it.retryAfterMs ?? null;
  }

  /** Whether the same request may well be answered later: nothing is wrong with it. */
  get isTransient(): boolean {
    return this.code === "unreachable" || this.status === 429 || (this.status ?? 0) >= 500;
  }
}

/** The error that an answer other than 2xx stands for. */
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
