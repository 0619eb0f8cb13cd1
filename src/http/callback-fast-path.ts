// The short way for callbacks: the door of routes/callback.ts on node's own request and answer, without the web's
// Request and Response around them, which cost more than all the rest of it but the disk. Only what is plainly a
// callback of ours goes this way; anything else goes the common one, and is refused there if it is to be.
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { isCallbackToken } from "../domain/callback-token.ts";
import { receiveCallback } from "../orchestration/receive-callback.ts";
import { IncompleteBody } from "./body.ts";
import { callbackRelocation } from "./callback-path.ts";
import { commonHeaders, requestIdOf } from "./headers.ts";
import { problemText, unexpectedProblem } from "./problem.ts";
import type { AppContext } from "./request-context.ts";
import { CALLBACK_PATH, MAX_CALLBACK_BYTES } from "./routes/callback.ts";

export function callbackReceiver(context: AppContext, otherwise: RequestListener): RequestListener {
  const relocate = callbackRelocation(context.publicPath);
  return (incoming, outgoing) => {
    incoming.url = relocate(incoming.url ?? "");
    const [, executionId = "", token = ""] = PLAIN_PATH.exec(incoming.url) ?? [];
    const isPlain =
      token !== "" &&
      incoming.method === "POST" &&
      Number(incoming.headers["content-length"]) <= MAX_CALLBACK_BYTES &&
      isCallbackToken(context.callbackSecrets, executionId, token);
    if (isPlain) void receive(context, executionId, incoming, outgoing);
    else otherwise(incoming, outgoing);
  };
}

const PLAIN_PATH = /^\/callbacks\/lyceum\/([\w-]+)\/([\w-]+)$/;

async function receive(
  context: AppContext,
  executionId: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const startedAt = performance.now();
  const requestId = requestIdOf(incoming.headers["x-request-id"], context.newId);
  const headers = { "X-Request-Id": requestId, ...commonHeaders };
  let status: number = 204;
  try {
    const body = await bodyOf(incoming);
    const { "content-type": contentType = null, "content-encoding": contentEncoding = null } =
      incoming.headers;
    await receiveCallback(context, { executionId, contentType, contentEncoding, body, truncated: false });
    outgoing.writeHead(status, { ...headers, ...farewell(context) }).end();
  } catch (error) {
    const problem = problemText(requestId, ...unexpectedProblem(context, error));
    status = problem.status;
    outgoing.writeHead(status, { ...headers, ...farewell(context), ...problem.headers }).end(problem.text);
  }
  const durationMs = performance.now() - startedAt;
  context.report.httpRequest({
    requestId,
    route: CALLBACK_PATH,
    method: "POST",
    status,
    durationMs,
    key: null,
  });
}

/** While the service drains, the next request is to go elsewhere. */
function farewell(context: AppContext): { Connection?: "close" } {
  return context.isAccepting() ? {} : { Connection: "close" };
}

/** Its length was declared, and node holds the sender to it. */
function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => void chunks.push(chunk));
    incoming.once("end", () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    incoming.once("error", (cause) =>
      reject(new IncompleteBody("the body is incomplete: the connection broke", { cause })),
    );
  });
}
