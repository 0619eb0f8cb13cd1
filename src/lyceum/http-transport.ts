// HTTP as it is spoken with Lyceum: undici's kept connections without the streams around them, a tenth of the cost of
// built-in `fetch`.
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { Agent, type Dispatcher } from "undici";
import { NotSentError } from "../lib/network-error.ts";
import type { Answer, Fetch } from "./http-exchange.ts";

/**
 * In place of `fetch`; redirects are not followed. Resolves when the answer is whole, broken off or larger than what is
 * taken of it. Rejects with `Unsent` when it is certain that nothing left this machine, else with undici's own
 * failures and their codes.
 */
export function createHttpTransport(
  connectWithinMs = CONNECT_WITHIN_MS,
  startsKeptMs = STARTS_KEPT_MS,
): Fetch {
  const forReads = keptConnections(connectWithinMs, READS_KEPT_MS);
  const forStarts = keptConnections(connectWithinMs, startsKeptMs);

  return (url, { method, headers, body, signal, maxBytes }) =>
    new Promise((resolve, reject) => {
      const { origin, pathname, search } = new URL(url);
      const options = {
        origin,
        path: pathname + search,
        method: method as Dispatcher.HttpMethod,
        headers: { ...OURS, ...headers },
        body: body ?? null,
      };
      const dispatcher = method === "GET" ? forReads : forStarts;
      dispatcher.dispatch(options, exchangeHandler({ signal, maxBytes, resolve, reject }));
    });
}

const CONNECT_WITHIN_MS = 10_000;
/** Many servers close a connection after five idle seconds; a request must not meet that. */
const READS_KEPT_MS = 4_000;
/**
 * Of a start that meets a server's hanging up nobody could tell whether it was taken: only a connection that was in use
 * a moment ago is good enough. All that is no GET does the same.
 */
const STARTS_KEPT_MS = 1_000;
const OURS = { "user-agent": "proctor", "accept-encoding": "gzip" };

function keptConnections(connectWithinMs: number, keptMs: number): Dispatcher {
  return new Agent({
    connect: { timeout: connectWithinMs },
    keepAliveTimeout: keptMs,
    keepAliveMaxTimeout: keptMs,
    allowH2: false,
    // How long an answer may take is bounded by who asks.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

interface Asked {
  signal: AbortSignal;
  maxBytes: number;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

function exchangeHandler({ signal, maxBytes, resolve, reject }: Asked): Dispatcher.DispatchHandler {
  /** Set once the connection stands and the request is written. */
  let begun: Dispatcher.DispatchController | null = null;
  let head: Pick<Answer, "status" | "headers"> | null = null;
  let isZipped = false;
  const chunks: Buffer[] = [];
  let size = 0;

  function giveUp(): void {
    if (begun === null) reject(new NotSentError(signal.reason));
    else begun.abort(signal.reason);
  }
  signal.addEventListener("abort", giveUp);

  function end(failure: Error | null): void {
    signal.removeEventListener("abort", giveUp);
    if (head === null) reject(begun === null ? new NotSentError(failure) : failure);
    else {
      const came = failure === null || size > maxBytes ? chunks : brokenOff(chunks, failure);
      // What breaks off is told by whoever reads it.
      const body = isZipped ? pipeline(Readable.from(came), createGunzip(), () => {}) : came;
      resolve({ ...head, body });
    }
  }

  return {
    onRequestStart(controller) {
      // If given up meanwhile, it is not written any more.
      if (signal.aborted) controller.abort(signal.reason);
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
      // In a turn of its own: undici is in the midst of reading.
      if (size > maxBytes) setImmediate(() => controller.abort(new Error("larger than what is taken")));
    },
    onResponseEnd: () => end(null),
    onResponseError: (_, error) => end(error),
  };
}

function* brokenOff(chunks: Buffer[], failure: Error): Generator<Buffer> {
  yield* chunks;
  throw failure;
}
