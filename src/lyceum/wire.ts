// HTTP as it is spoken with Lyceum: Node's own client and its kept connections, a third of the cost of built-in `fetch`.
import { type IncomingMessage, Agent as PlainAgent, request as plainRequest } from "node:http";
import { request as secureRequest, Agent as TlsAgent } from "node:https";
import type { Socket } from "node:net";
import { pipeline } from "node:stream";
import { TLSSocket } from "node:tls";
import { createGunzip } from "node:zlib";
import type { Answer, Fetch } from "./exchange.ts";

/**
 * In place of `fetch`; redirects are not followed. Failures are Node's own, with their codes, but for two of a connection
 * that did not come to stand: nothing was sent then, and Node has no code that says so.
 */
export function createWire(connectWithinMs = CONNECT_WITHIN_MS): Fetch {
  const kept = { keepAlive: true, scheduling: "lifo", timeout: KEPT_MS } as const;
  const plain = { open: plainRequest, agent: new PlainAgent(kept) };
  const secure = { open: secureRequest, agent: new TlsAgent(kept) };

  return (url, { method, headers, body, signal }) =>
    new Promise((resolve, reject) => {
      const { open, agent } = url.startsWith("https:") ? secure : plain;
      // A server may hang up on a kept connection in the very moment of its use, and nobody could tell whether it
      // took the request: what must not be sent twice gets a connection of its own.
      const through = method === "GET" ? agent : false;
      const options = { method, headers: { ...OURS, ...headers }, agent: through, timeout: connectWithinMs };
      const request = open(url, options, (message) => resolve(answerOf(message)));
      const giveUp = () =>
        request.destroy(isConnected(request.socket) ? new Error("aborted") : failure("ERR_CONNECT_TIMEOUT"));
      request.on("error", (error: NodeJS.ErrnoException) => {
        const isHandshake = error.code === "EPROTO" && !isConnected(request.socket);
        reject(isHandshake ? failure("ERR_SSL_HANDSHAKE") : error);
      });
      // Told of any silence; once the connection stands there is nothing odd in one.
      request.on("timeout", () => isConnected(request.socket) || giveUp());
      // Given as an option the signal would cost more than the rest of the request's making.
      signal.addEventListener("abort", giveUp, { once: true });
      request.end(body);
    });
}

const CONNECT_WITHIN_MS = 10_000;
/** Many servers close a connection after five idle seconds; a request must not meet that. */
const KEPT_MS = 4_000;
const OURS = { "user-agent": "proctor", "accept-encoding": "gzip" };

function isConnected(socket: Socket | null): boolean {
  if (socket === null || socket.connecting) return false;
  // Missing in the types: true until the handshake is over.
  return !(socket instanceof TLSSocket && (socket as { secureConnecting?: boolean }).secureConnecting);
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}

function answerOf(message: IncomingMessage): Answer {
  const isZipped = message.headers["content-encoding"] === "gzip";
  return {
    status: message.statusCode ?? 0,
    headers: { get: (name) => message.headers[name]?.toString() ?? null },
    // What breaks off is told by the body.
    body: isZipped ? pipeline(message, createGunzip(), () => {}) : message,
  };
}
