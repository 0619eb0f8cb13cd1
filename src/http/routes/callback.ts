// The callback endpoint. `acceptCallback` is the only way in; requests reach it by this route or by the fast path.
import * as operations from "../../contract/operations/executions.ts";
import { isCallbackToken } from "../../domain/callback-token.ts";
import { receiveCallback } from "../../orchestration/receive-callback.ts";
import { type Body, readBody } from "../body.ts";
import { unauthorized } from "../problem.ts";
import type { AppContext, RequestContext } from "../request-context.ts";
import { type Route, route } from "../route.ts";

export const CALLBACK_PATH = "/callbacks/lyceum/:execution/:token";

export const callbackRoutes: Route[] = [
  route({
    method: "POST",
    path: CALLBACK_PATH,
    access: "callback",
    operation: operations.receiveCallback,
    handle: ({ c, context }) => postCallback(c, context),
  }),
  // A missing token is answered like a wrong token.
  route({
    method: "POST",
    path: "/callbacks/lyceum/:execution",
    access: "callback",
    operation: operations.refuseCallback,
    handle: ({ c, context }) => postCallback(c, context),
  }),
];

/** Any content type and body are accepted, up to 256 KiB; the rest is cut off and marked. */
export const MAX_CALLBACK_BYTES = 256 * 1024;

/** The same words whether or not the execution exists. */
export const INVALID_CALLBACK_URL = "the callback URL is invalid";

export interface IncomingCallback {
  executionId: string;
  token: string;
  contentType: string | null;
  contentEncoding: string | null;
  readBody(): Promise<Body>;
}

/** False, before the body is read or any row looked up: the token is wrong. */
export async function acceptCallback(context: AppContext, incoming: IncomingCallback): Promise<boolean> {
  const { executionId, token, contentType, contentEncoding } = incoming;
  if (!isCallbackToken(context.callbackSecrets, executionId, token)) {
    const reason = token === "" ? "missing_token" : "wrong_token";
    context.report.callback({ executionId: null, jobId: null, disposition: "rejected", reason });
    return false;
  }
  const { bytes, truncated } = await incoming.readBody();
  await receiveCallback(context, { executionId, contentType, contentEncoding, body: bytes, truncated });
  return true;
}

async function postCallback(c: RequestContext, context: AppContext): Promise<Response> {
  const isAccepted = await acceptCallback(context, {
    executionId: c.req.param("execution") ?? "",
    token: c.req.param("token") ?? "",
    contentType: c.req.header("Content-Type") ?? null,
    contentEncoding: c.req.header("Content-Encoding") ?? null,
    readBody: () => readBody(c.req.raw, MAX_CALLBACK_BYTES),
  });
  return isAccepted ? c.body(null, 204) : unauthorized(c, INVALID_CALLBACK_URL);
}
