// The callback endpoint: the token in the path is the only guard, checked before anything is read or looked up.
import * as operations from "../../contract/operations/executions.ts";
import { isCallbackToken } from "../../domain/callback-token.ts";
import { receiveCallback } from "../../orchestration/receive-callback.ts";
import { readBody } from "../body.ts";
import { unauthorized } from "../problem.ts";
import type { AppContext, RequestContext } from "../request-context.ts";
import type { Route } from "../route.ts";

export const CALLBACK_PATH = "/callbacks/lyceum/:execution/:token";

export const callbackRoutes: Route[] = [
  {
    method: "POST",
    path: CALLBACK_PATH,
    access: "callback",
    operation: operations.receiveCallback,
    handle: postCallback,
  },
  // A missing token is answered as a wrong one.
  {
    method: "POST",
    path: "/callbacks/lyceum/:execution",
    access: "callback",
    operation: operations.refuseCallback,
    handle: postCallback,
  },
];

/** Any content type and any body are taken, up to 256 KiB; the rest is cut and marked. */
export const MAX_CALLBACK_BYTES = 256 * 1024;

async function postCallback(c: RequestContext, context: AppContext): Promise<Response> {
  const executionId = c.req.param("execution") ?? "";
  if (!isCallbackToken(context.callbackSecrets, executionId, c.req.param("token") ?? "")) {
    context.report.callback({ executionId: null, disposition: "rejected" });
    // In the same words whether or not the execution exists.
    return unauthorized(c, "the callback URL is not one of ours");
  }
  const { bytes, truncated } = await readBody(c.req.raw, MAX_CALLBACK_BYTES);
  const contentType = c.req.header("Content-Type") ?? null;
  const contentEncoding = c.req.header("Content-Encoding") ?? null;
  await receiveCallback(context, { executionId, contentType, contentEncoding, body: bytes, truncated });
  return c.body(null, 204);
}
