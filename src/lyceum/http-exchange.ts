// One HTTP request and its answer: bounded in time and size, redirects not followed, nothing interpreted.
import type { Timers } from "../lib/clock.ts";
import { failureName, isNotSent } from "../lib/network-error.ts";

export interface Request {
  method: "GET" | "POST" | "DELETE";
  url: string;
  headers: Record<string, string>;
  body?: unknown;
  timeoutMs: number;
  maxBytes: number;
  mayLeave(): boolean;
}

/** The used part of built-in `fetch`, which can stand in. Rejects with NotSentError if certainly nothing was sent. */
export type Fetch = (url: string, init: Init) => Promise<Answer>;

interface Init {
  method: string;
  headers: Record<string, string>;
  body?: string;
  redirect: "manual";
  signal: AbortSignal;
  /** The answer is cut off at this size. */
  maxBytes: number;
  /** Asked once the connection is open, right before the first byte; false: nothing is sent. */
  mayLeave(): boolean;
}

export interface Answer {
  status: number;
  headers: AnswerHeaders;
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array> | null;
}

/** Names in lower case. */
export interface AnswerHeaders {
  get(name: string): string | null;
}

/** The body of an answer, or the reason why it is missing: cut off or too large. */
export type Body = { bytes: Buffer<ArrayBuffer> } | { problem: string; isTooLarge: boolean };

export type Exchanged =
  | { answered: true; status: number; headers: AnswerHeaders; body: Body }
  /** `sent` false: certain that no byte reached Lyceum. */
  | { answered: false; sent: boolean; detail: string };

/** The result of a whole call, rate limiter and token included. */
export type Reply =
  | { type: "answer"; status: number; retryAfterMs: number | null; body: Body; secrets: string[] }
  /** `sent` false: certain that the call did not reach Lyceum. */
  | { type: "silent"; sent: boolean; detail: string; isStale?: boolean }
  /** `isDeferred`: by our own rate limiter, nothing was sent. */
  | { type: "throttled"; retryAfterMs: number; isDeferred?: boolean }
  | { type: "unauthorized"; detail: string };

export async function exchange(fetch: Fetch, timers: Timers, request: Request): Promise<Exchanged> {
  const controller = new AbortController();
  const cancelTimer = timers.after(request.timeoutMs, () => controller.abort());
  const describe = (error: unknown) =>
    controller.signal.aborted ? `no answer within ${request.timeoutMs} ms` : failureName(error);
  try {
    const response = await fetch(request.url, {
      method: request.method,
      headers: request.body === undefined ? request.headers : { ...request.headers, ...JSON_TYPE },
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      // A redirect could carry the token to another host, or turn a POST into a GET.
      redirect: "manual",
      signal: controller.signal,
      maxBytes: request.maxBytes,
      mayLeave: request.mayLeave,
    });
    const body = await readBody(response, request.maxBytes).catch((error: unknown) => ({
      problem: `answer cut off: ${describe(error)}`,
      isTooLarge: false,
    }));
    return { answered: true, status: response.status, headers: response.headers, body };
  } catch (error) {
    return { answered: false, sent: !isNotSent(error), detail: describe(error) };
  } finally {
    cancelTimer();
  }
}

const JSON_TYPE = { "content-type": "application/json" };

/** Leaving the loop early also ends the download. */
async function readBody({ body }: Answer, maxBytes: number): Promise<Body> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    if (size > maxBytes) return { problem: `answer larger than ${maxBytes} bytes`, isTooLarge: true };
    chunks.push(chunk);
  }
  return { bytes: Buffer.concat(chunks) };
}
