// Requests that cannot be read as one, so that no route sees them: refused in the same words as all others.
import { type RequestListener, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { RequestError } from "@hono/node-server";
import type { ProblemKind } from "../contract/problem.ts";
import type { Answering } from "./connections.ts";
import { commonHeaders } from "./headers.ts";
import { problemText, unexpectedProblem } from "./problem.ts";
import type { AppContext } from "./request-context.ts";

/** What becomes of them; each is counted and logged like any other request. */
export function malformedRequests(desk: AppContext) {
  function refuse(kind: ProblemKind, detail: string) {
    const requestId = desk.newId("req");
    const { status, headers: own, text } = problemText(requestId, kind, detail);
    desk.report.httpRequest({
      requestId,
      route: "unreadable",
      method: "unknown",
      status,
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
    /** For node's `clientError`: what came is no HTTP, or does not come to its end. */
    onClientError(error: Error & { code?: string }, socket: Duplex & Answering): void {
      // A connection that broke has nobody to answer, and into an answer that has begun nothing else may be written.
      const isHttp = /^(HPE|ERR_HTTP)_/.test(error.code ?? "");
      if (!isHttp || !socket.writable || socket._httpMessage?.headersSent) return void socket.destroy();
      const [kind, detail] = known[error.code ?? ""] ?? ["bad-request", "it is not valid HTTP/1.1"];
      const { status, headers, text } = refuse(kind, detail);
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n`;
      socket.end(head + text, () => socket.destroy());
    },

    /** For what is no request to Hono's server: a path or a Host that is no part of a URL. */
    errorHandler(error: unknown): Response {
      const [kind, detail] =
        error instanceof RequestError
          ? (["bad-request", "its path or its Host header cannot be read"] as const)
          : unexpectedProblem(desk, error);
      const { status, headers, text } = refuse(kind, detail);
      return new Response(text, { status, headers });
    },

    /** HTTP/1.1 asks for a Host in each request [RFC 9112, 3.2]. */
    withHost(answer: RequestListener): RequestListener {
      return (incoming, outgoing) => {
        const hosts = hostsIn(incoming.rawHeaders);
        if (hosts === 1 || (hosts === 0 && incoming.httpVersion !== "1.1")) return answer(incoming, outgoing);
        const detail = hosts === 0 ? "it has no Host header" : "it has more than one Host header";
        const { status, headers, text } = refuse("bad-request", detail);
        outgoing.writeHead(status, headers).end(text);
      };
    },
  };
}

/** `headers` keeps the first of them alone: two readers on the way could take the request for two places. */
function hostsIn(rawHeaders: string[]): number {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2)
    if (rawHeaders[at]?.length === 4 && rawHeaders[at]?.toLowerCase() === "host") count++;
  return count;
}

const known: Record<string, [ProblemKind, string]> = {
  HPE_HEADER_OVERFLOW: ["headers-too-large", "at most 16 KiB are taken, with the path"],
  ERR_HTTP_REQUEST_TIMEOUT: ["too-slow", "the request did not come to its end in time"],
};
