// The HTTP surface: one table of routes, each with whom it lets in; around it what every answer has in common.
import { Hono } from "hono";
import { type Access, type Authenticate, mayCall } from "./auth.ts";
import { BrokenOff } from "./body.ts";
import type { Call, Desk, Env } from "./call.ts";
import { problem } from "./problem.ts";
import type { Route } from "./route.ts";
import { artifactRoutes } from "./routes/artifacts.ts";
import { callbackRoutes } from "./routes/callback.ts";
import { deliveryRoutes } from "./routes/deliveries.ts";
import { eventRoutes } from "./routes/events.ts";
import { executionRoutes } from "./routes/executions.ts";
import { jobRoutes } from "./routes/jobs.ts";
import { operationRoutes } from "./routes/operations.ts";
import { referenceRoutes } from "./routes/reference.ts";
import { resultRoutes } from "./routes/results.ts";
import { runRoutes } from "./routes/runs.ts";
import { usageRoutes } from "./routes/usage.ts";
import { webhookRoutes } from "./routes/webhooks.ts";

export const routes: Route[] = [
  ...callbackRoutes,
  ...jobRoutes,
  ...runRoutes,
  ...artifactRoutes,
  ...executionRoutes,
  ...eventRoutes,
  ...webhookRoutes,
  ...deliveryRoutes,
  ...resultRoutes,
  ...usageRoutes,
  ...operationRoutes,
  ...referenceRoutes(() => routes),
];

export function createServer(desk: Desk, authenticate: Authenticate): Hono<Env> {
  const app = new Hono<Env>();
  for (const route of routes) app.on(route.method, route.path, (c) => serve(c, route));
  for (const [path, methods] of Map.groupBy(routes, (route) => route.path)) {
    const allow = methods.map((route) => route.method).join(", ");
    app.all(path, (c) => observed(c, path, async () => wrongMethod(c, allow)));
  }
  app.notFound((c) => observed(c, "unknown", async () => problem(c, "not-found", "there is no such route")));
  return app;

  function serve(c: Call, route: Route): Promise<Response> {
    return observed(c, route.path, async () => {
      const refusal = admit(c, route.access, authenticate);
      return refusal ?? route.handle(c, desk);
    });
  }

  /** Request id, one log line by route template (a raw path may hold a token), and the last word on errors. */
  async function observed(c: Call, route: string, answer: () => Promise<Response>): Promise<Response> {
    const startedAt = performance.now();
    const requestId = readRequestId(c.req.header("X-Request-Id")) ?? desk.newId("req");
    c.set("requestId", requestId);
    c.set("caller", null);
    c.header("X-Request-Id", requestId);
    c.header("X-Content-Type-Options", "nosniff");
    c.header("Cache-Control", "no-store");
    let response: Response;
    try {
      response = await answer();
    } catch (error) {
      response = error instanceof BrokenOff ? problem(c, "bad-request", error.message) : failed(c, error);
    }
    // An idle connection would hold up the stop until its time is over.
    if (!desk.isAccepting()) response.headers.set("Connection", "close");
    const durationMs = performance.now() - startedAt;
    const key = c.get("caller")?.name ?? null;
    desk.report.httpRequest({
      requestId,
      route,
      method: c.req.method,
      status: response.status,
      durationMs,
      key,
    });
    return response;
  }

  function failed(c: Call, error: unknown): Response {
    desk.report.fault("http", error);
    const detail = "the request was not carried out, or its outcome is not known; look before you repeat it";
    return problem(c, "internal", detail);
  }
}

/** Null when the caller may go on. */
function admit(c: Call, access: Access, authenticate: Authenticate): Response | null {
  if (access === "open" || access === "callback") return null;
  const caller = authenticate(c.req.header("Authorization"));
  if (caller === null) {
    c.header("WWW-Authenticate", "Bearer");
    return problem(c, "unauthorized", "send a valid API key as Authorization: Bearer <key>");
  }
  c.set("caller", caller);
  return mayCall(caller, access)
    ? null
    : problem(c, "forbidden", `a key with the role ${caller.role} cannot do this`);
}

function wrongMethod(c: Call, allow: string): Response {
  c.header("Allow", allow);
  return problem(c, "method-not-allowed", `use ${allow}`);
}

/** A caller's own id is taken over if it is short and plain. */
function readRequestId(given: string | undefined): string | null {
  return given !== undefined && /^[A-Za-z0-9._-]{1,128}$/.test(given) ? given : null;
}
