// The fast path for callbacks works on node's request and response: the web's cost more than the rest except the disk.
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { isCallbackToken } from "../domain/callback-token.ts";
import { SELF_TEST_HEADER, SELF_TEST_ID } from "../domain/self-test.ts";
import { type Body, IncompleteBody } from "./body.ts";
import { callbackRelocation } from "./callback-path.ts";
import { commonHeaders, requestIdOf } from "./headers.ts";
import { problemText, unexpectedProblem } from "./problem.ts";
import type { AppContext } from "./request-context.ts";
import {
  acceptCallback,
  CALLBACK_PATH,
  INVALID_CALLBACK_URL,
  type IncomingCallback,
  MAX_CALLBACK_BYTES,
} from "./routes/callback.ts";

/** @param otherwise handles all requests that are not usual callbacks */
export function callbackReceiver(context: AppContext, otherwise: RequestListener): RequestListener {
  const relocate = callbackRelocation(context.publicPath);
  return (incoming, outgoing) => {
    incoming.url = relocate(incoming.url ?? "");
    const [, executionId = "", token = ""] = USUAL_PATH.exec(incoming.url) ?? [];
    const isUsual =
      token !== "" &&
      incoming.method === "POST" &&
      Number(incoming.headers["content-length"]) <= MAX_CALLBACK_BYTES;
    if (!isUsual) return otherwise(incoming, outgoing);
    if (executionId === SELF_TEST_ID && isCallbackToken(context.callbackSecrets, executionId, token)) {
      incoming.resume();
      outgoing.writeHead(204, { ...commonHeaders, [SELF_TEST_HEADER]: "ok" }).end();
      return;
    }
    const { "content-type": contentType = null, "content-encoding": contentEncoding = null } =
      incoming.headers;
    const readBody = () => bodyOf(incoming);
    answer(context, { executionId, token, contentType, contentEncoding, readBody }, incoming, outgoing);
  };
}

const USUAL_PATH = /^\/callbacks\/lyceum\/([\w-]+)\/([\w-]+)$/;

interface Answer {
  status: number;
  headers: Record<string, string>;
  text?: string;
  /** The kind of problem that it tells of. */
  reason: string | null;
}

const ACCEPTED: Answer = { status: 204, headers: {}, reason: null };

function answer(
  context: AppContext,
  callback: IncomingCallback,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): void {
  const startedAt = performance.now();
  const requestId = requestIdOf(incoming.headers["x-request-id"], context.newId);
  const respond = ({ status, headers, text, reason }: Answer) => {
    const common = { "X-Request-Id": requestId, ...commonHeaders };
    outgoing.writeHead(status, { ...common, ...connectionHeader(context), ...headers }).end(text);
    const durationMs = performance.now() - startedAt;
    context.report.httpRequest({
      requestId,
      route: CALLBACK_PATH,
      method: "POST",
      status,
      reason,
      durationMs,
      key: null,
    });
  };
  // Each layer of promises costs a hundredth of the request.
  acceptCallback(context, callback).then(
    (isAccepted) => respond(isAccepted ? ACCEPTED : refusal(requestId)),
    (error: unknown) => respond(failure(context, requestId, error)),
  );
}

function refusal(requestId: string): Answer {
  const { headers, ...told } = problemText(requestId, "unauthorized", INVALID_CALLBACK_URL);
  return { ...told, headers: { "WWW-Authenticate": "Bearer", ...headers }, reason: "unauthorized" };
}

function failure(context: AppContext, requestId: string, error: unknown): Answer {
  const [reason, detail] = unexpectedProblem(context, error);
  return { ...problemText(requestId, reason, detail), reason };
}

/** While the service drains, clients must send the next request elsewhere. */
function connectionHeader(context: AppContext): { Connection?: "close" } {
  return context.isAccepting() ? {} : { Connection: "close" };
}

/** Reads the whole body: node enforces the declared length, which is within the limit. */
function bodyOf(incoming: IncomingMessage): Promise<Body> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => void chunks.push(chunk));
    incoming.once("end", () => resolve({ bytes: Buffer.concat(chunks), truncated: false }));
    incoming.once("error", (cause) =>
      reject(new IncompleteBody("the body is incomplete: the connection broke", { cause })),
    );
  });
}
