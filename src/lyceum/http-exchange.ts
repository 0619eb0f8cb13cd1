// One request and one answer over HTTP: time-limited, size-limited, redirects not followed, nothing interpreted.
import type { Timers } from "../lib/clock.ts";
import { failureName, isNeverSent } from "../lib/network-error.ts";

export interface Request {
  method: "GET" | "POST" | "DELETE";
  url: string;
  headers: Record<string, string>;
  body?: unknown;
  timeoutMs: number;
  maxBytes: number;
}

/** What is used of built-in `fetch`, which can stand in. Rejects with `Unsent` if certain that nothing was sent. */
export type Fetch = (url: string, init: Init) => Promise<Answer>;

interface Init {
  method: string;
  headers: Record<string, string>;
  body?: string;
  redirect: "manual";
  signal: AbortSignal;
  /** More than this is not wanted. */
  maxBytes: number;
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

/** The body of an answer, or the reason why the body is missing: it broke off or is too large. */
export type Body = { bytes: Buffer<ArrayBuffer> } | { problem: string; isTooLarge: boolean };

export type Exchanged =
  | { answered: true; status: number; headers: AnswerHeaders; body: Body }
  /** `sent` false: certain that no byte reached Lyceum. */
  | { answered: false; sent: boolean; detail: string };

/** What a whole call came to, with throttle and token. */
export type Reply =
  | { kind: "answer"; status: number; retryAfterMs: number | null; body: Body; secrets: string[] }
  /** `sent` false: certain that Lyceum did not get it. */
  | { kind: "silent"; sent: boolean; detail: string; isStale?: boolean }
  | { kind: "throttled"; retryAfterMs: number; isHeld?: boolean }
  | { kind: "unauthorized"; detail: string };

export async function exchange(fetch: Fetch, timers: Timers, request: Request): Promise<Exchanged> {
  const controller = new AbortController();
  const cancelTimer = timers.after(request.timeoutMs, () => controller.abort());
  const whatFailed = (error: unknown) =>
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
    });
    const body = await readBody(response, request.maxBytes).catch((error: unknown) => ({
      problem: `answer cut off: ${whatFailed(error)}`,
      isTooLarge: false,
    }));
    return { answered: true, status: response.status, headers: response.headers, body };
  } catch (error) {
    return { answered: false, sent: !isNeverSent(error), detail: whatFailed(error) };
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
