// The HTTP transport to Lyceum: undici's kept-alive connections without streams, at a tenth of built-in `fetch`'s cost.
import { createRequire } from "node:module";
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import type { Dispatcher, Agent as UndiciAgent } from "undici";
import { NotSentError } from "../lib/network-error.ts";
import type { Answer, Fetch } from "./http-exchange.ts";

// The package's index loads its mocks, its WebSockets and its fetch, too: 87 modules more, 35 ms of a start.
const Agent: typeof UndiciAgent = createRequire(import.meta.url)("undici/lib/dispatcher/agent.js");

/**
 * Stands in for `fetch`; redirects are not followed. Resolves when the answer is complete, cut off or too large. Rejects
 * with NotSentError when it is certain that nothing left this machine, else with undici's own errors and their codes.
 */
export function createHttpTransport(
  connectTimeoutMs = CONNECT_TIMEOUT_MS,
  startKeepAliveMs = START_KEEP_ALIVE_MS,
): Fetch {
  const forReads = createAgent(connectTimeoutMs, READ_KEEP_ALIVE_MS);
  const forStarts = createAgent(connectTimeoutMs, startKeepAliveMs);

  return (url, { method, headers, body, signal, maxBytes, mayLeave }) =>
    new Promise((resolve, reject) => {
      const { origin, pathname, search } = new URL(url);
      const options = {
        origin,
        path: pathname + search,
        method: method as Dispatcher.HttpMethod,
        headers: { ...DEFAULT_HEADERS, ...headers },
        body: body ?? null,
      };
      const dispatcher = method === "GET" ? forReads : forStarts;
      dispatcher.dispatch(options, exchangeHandler({ signal, maxBytes, mayLeave, resolve, reject }));
    });
}

const CONNECT_TIMEOUT_MS = 10_000;
/** Many servers close a connection after five idle seconds; a request must not run into that. */
const READ_KEEP_ALIVE_MS = 4_000;
/**
 * If the server closes a kept-alive connection while we send a start, we cannot know whether it was accepted: keep
 * these connections only for a moment. The same holds for every request but a GET.
 */
const START_KEEP_ALIVE_MS = 1_000;
const DEFAULT_HEADERS = { "user-agent": "proctor", "accept-encoding": "gzip" };

function createAgent(connectTimeoutMs: number, keepAliveMs: number): Dispatcher {
  return new Agent({
    connect: { timeout: connectTimeoutMs },
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: keepAliveMs,
    allowH2: false,
    // The caller's signal bounds the time of an answer.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

interface PendingRequest {
  signal: AbortSignal;
  maxBytes: number;
  mayLeave(): boolean;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

function exchangeHandler({
  signal,
  maxBytes,
  mayLeave,
  resolve,
  reject,
}: PendingRequest): Dispatcher.DispatchHandler {
  /** Set once the request is being written to an open connection. */
  let begun: Dispatcher.DispatchController | null = null;
  let head: Pick<Answer, "status" | "headers"> | null = null;
  let isZipped = false;
  const chunks: Buffer[] = [];
  let size = 0;

  function abort(): void {
    if (begun === null) reject(new NotSentError(signal.reason));
    else begun.abort(signal.reason);
  }
  signal.addEventListener("abort", abort);

  function end(failure: Error | null): void {
    signal.removeEventListener("abort", abort);
    if (head === null) reject(begun === null ? new NotSentError(failure) : failure);
    else {
      const received = failure === null || size > maxBytes ? chunks : cutOff(chunks, failure);
      // The reader of the body meets the failure.
      const body = isZipped ? pipeline(Readable.from(received), createGunzip(), () => {}) : received;
      resolve({ ...head, body });
    }
  }

  return {
    onRequestStart(controller) {
      // Aborted meanwhile: do not write the request.
      if (signal.aborted) controller.abort(signal.reason);
      else if (!mayLeave()) controller.abort(new Error("not sent"));
      else begun = controller;
    },
    onResponseStart(_, status, headers) {
      if (status < 200) return;
      head = { status, headers: { get: (name) => headers[name]?.toString() ?? null } };
      isZipped = headers["content-encoding"] === "gzip";
    },
    onResponseData(controller, chunk) {
      if (size > maxBytes) return;
      chunks.push(chunk);
      size += chunk.length;
      // In the next turn of the event loop: undici is in the middle of reading.
      if (size > maxBytes) setImmediate(() => controller.abort(new Error("answer too large")));
    },
    onResponseEnd: () => end(null),
    onResponseError: (_, error) => end(error),
  };
}

function* cutOff(chunks: Buffer[], failure: Error): Generator<Buffer> {
  yield* chunks;
  throw failure;
}
