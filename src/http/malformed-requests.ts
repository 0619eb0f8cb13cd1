// Answers requests that cannot be parsed, and so reach no route, with problem documents.
import { type RequestListener, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { RequestError } from "@hono/node-server";
import type { ProblemKind } from "../contract/problem.ts";
import type { Answering } from "./connections.ts";
import { commonHeaders } from "./headers.ts";
import { problemText, unexpectedProblem } from "./problem.ts";
import type { AppContext } from "./request-context.ts";

/** Counted and logged like any other request. */
export function malformedRequests(context: AppContext) {
  function refuse(kind: ProblemKind, detail: string) {
    const requestId = context.newId("req");
    const { status, headers: own, text } = problemText(requestId, kind, detail);
    context.report.httpRequest({
      requestId,
      route: "unreadable",
      method: "unknown",
      status,
      reason: kind,
      durationMs: 0,
      key: null,
    });
    const headers = {
      "X-Request-Id": requestId,
      ...commonHeaders,
      ...own,
      "Content-Length": String(Buffer.byteLength(text)),
      Connection: "close",
    };
    return { status, headers, text };
  }

  return {
    /** Invalid HTTP, or a request that stays incomplete. */
    onClientError(error: Error & { code?: string }, socket: Duplex & Answering): void {
      // A broken connection cannot be answered, and an answer that has begun must not be mixed with another.
      const isHttp = /^(HPE|ERR_HTTP)_/.test(error.code ?? "");
      if (!isHttp || !socket.writable || socket._httpMessage?.headersSent) return void socket.destroy();
      const [kind, detail] = known[error.code ?? ""] ?? ["bad-request", "the request is not valid HTTP/1.1"];
      const { status, headers, text } = refuse(kind, detail);
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n`;
      socket.end(head + text, () => socket.destroy());
    },

    /** A path or Host that is not part of a URL. */
    errorHandler(error: unknown): Response {
      const [kind, detail] =
        error instanceof RequestError
          ? (["bad-request", "the path or the Host header is invalid"] as const)
          : unexpectedProblem(context, error);
      const { status, headers, text } = refuse(kind, detail);
      return new Response(text, { status, headers });
    },

    /** HTTP/1.1 requires exactly one Host header [RFC 9112, 3.2]. */
    withHost(answer: RequestListener): RequestListener {
      return (incoming, outgoing) => {
        const hosts = hostsIn(incoming.rawHeaders);
        if (hosts === 1 || (hosts === 0 && incoming.httpVersion !== "1.1")) return answer(incoming, outgoing);
        const detail = hosts === 0 ? "the Host header is missing" : "there is more than one Host header";
        const { status, headers, text } = refuse("bad-request", detail);
        outgoing.writeHead(status, headers).end(text);
      };
    },
  };
}

/** Node's `headers` keeps only the first Host, but a proxy may have routed by another. */
function hostsIn(rawHeaders: string[]): number {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2)
    if (rawHeaders[at]?.length === 4 && rawHeaders[at]?.toLowerCase() === "host") count++;
  return count;
}

const known: Record<string, [ProblemKind, string]> = {
  HPE_HEADER_OVERFLOW: ["headers-too-large", "headers and path together may have 16 KiB"],
  ERR_HTTP_REQUEST_TIMEOUT: ["too-slow", "the request was not complete in time"],
};
