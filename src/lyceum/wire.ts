// HTTP as it is spoken with Lyceum: undici and its kept connections, a tenth of the cost of built-in `fetch`.
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { Agent, type Dispatcher, request } from "undici";
import type { Fetch } from "./exchange.ts";
import { Unsent } from "./failure.ts";

/**
 * In place of `fetch`; redirects are not followed. Rejects with `Unsent` when it is certain that nothing left this
 * machine, else with undici's own failures and their codes.
 */
export function createWire(connectWithinMs = CONNECT_WITHIN_MS, startsKeptMs = STARTS_KEPT_MS): Fetch {
  const forReads = keptConnections(connectWithinMs, READS_KEPT_MS);
  const forStarts = keptConnections(connectWithinMs, startsKeptMs);

  return async (url, { method, headers, body, signal }) => {
    const sending: Sending = { signal, hasBegun: false };
    const options = {
      method: method as Dispatcher.HttpMethod,
      headers: { ...OURS, ...headers },
      body: body ?? null,
      signal,
      opaque: sending,
      dispatcher: method === "GET" ? forReads : forStarts,
    };
    try {
      const answer = await request(url, options);
      const isZipped = answer.headers["content-encoding"] === "gzip";
      return {
        status: answer.statusCode,
        headers: { get: (name) => answer.headers[name]?.toString() ?? null },
        // What breaks off is told by the body.
        body: isZipped ? pipeline(answer.body, createGunzip(), () => {}) : answer.body,
      };
    } catch (cause) {
      throw sending.hasBegun ? cause : new Unsent(cause);
    }
  };
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

interface Sending {
  signal: AbortSignal;
  hasBegun: boolean;
}

function keptConnections(connectWithinMs: number, keptMs: number): Dispatcher {
  const agent = new Agent({
    connect: { timeout: connectWithinMs },
    keepAliveTimeout: keptMs,
    keepAliveMaxTimeout: keptMs,
    allowH2: false,
    // How long an answer may take is bounded by who asks.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return agent.compose((dispatch) => (options, handler) => {
    return dispatch(options, noting((options as unknown as { opaque: Sending }).opaque, handler));
  });
}

/** Notes that the connection stands and that the request is written now. */
function noting(sending: Sending, handler: Dispatcher.DispatchHandler): Dispatcher.DispatchHandler {
  return {
    onRequestStart(controller, context) {
      // If given up meanwhile, it is not written any more.
      sending.hasBegun = !sending.signal.aborted;
      handler.onRequestStart?.(controller, context);
    },
    onResponseStart: (...start) => handler.onResponseStart?.(...start),
    onResponseData: (...data) => handler.onResponseData?.(...data),
    onResponseEnd: (...end) => handler.onResponseEnd?.(...end),
    onResponseError: (...error) => handler.onResponseError?.(...error),
  };
}
