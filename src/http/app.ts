// The HTTP API: the route table, and what all answers have in common.
import { Hono } from "hono";
import { COMPRESSIBLE_CONTENT_TYPE_REGEX, compress } from "hono/compress";
import { getPath } from "hono/utils/url";
import { SELF_TEST_HEADER } from "../domain/self-test.ts";
import { type Caller, mayCall } from "./auth.ts";
import type { BearerResult } from "./bearer.ts";
import { callbackRelocation, isStrayCallback } from "./callback-path.ts";
import { commonHeaders, requestIdOf } from "./headers.ts";
import { problem, tooManyWrongKeys, unauthorized, unexpectedProblem } from "./problem.ts";
import { type AppContext, addressOf, type Env, type RequestContext } from "./request-context.ts";
import type { Route } from "./route.ts";
import { artifactRoutes } from "./routes/artifacts.ts";
import { callbackRoutes } from "./routes/callback.ts";
import { inboxRoutes } from "./routes/callbacks.ts";
import { dashboardRoutes } from "./routes/dashboard.ts";
import { deliveryRoutes } from "./routes/deliveries.ts";
import { eventRoutes } from "./routes/events.ts";
import { executionRoutes } from "./routes/executions.ts";
import { jobRoutes } from "./routes/jobs.ts";
import { keyRoutes } from "./routes/keys.ts";
import { operationRoutes } from "./routes/operations.ts";
import { referenceRoutes } from "./routes/reference.ts";
import { resultRoutes } from "./routes/results.ts";
import { runListRoutes } from "./routes/run-lists.ts";
import { runRoutes } from "./routes/runs.ts";
import { statsRoutes } from "./routes/stats.ts";
import { strayRoutes } from "./routes/strays.ts";
import { usageRoutes } from "./routes/usage.ts";
import { webhookRoutes } from "./routes/webhooks.ts";
import { callerByCookie, isSameOrigin } from "./session.ts";

export const routes: Route[] = [
  ...callbackRoutes,
  ...jobRoutes,
  ...runListRoutes,
  ...runRoutes,
  ...artifactRoutes,
  ...executionRoutes,
  ...inboxRoutes,
  ...strayRoutes,
  ...eventRoutes,
  ...webhookRoutes,
  ...deliveryRoutes,
  ...resultRoutes,
  ...usageRoutes,
  ...keyRoutes,
  ...statsRoutes,
  ...operationRoutes,
  ...dashboardRoutes,
  ...referenceRoutes(() => routes),
];

export function createServer(context: AppContext): Hono<Env> {
  const relocate = callbackRelocation(context.publicPath);
  const app = new Hono<Env>({ getPath: (request) => relocate(getPath(request)) });
  let strayLoggedAt = Number.NEGATIVE_INFINITY;
  for (const route of routes) app.on(route.method, templatesOf(route), (c) => serve(c, route));
  app.notFound((c) => {
    // Looked up here instead of by a second handler on each path: Hono is faster with a single handler.
    const others = methods.flatMap((method) => {
      const [[match]] = app.router.match(method, c.req.path);
      return match === undefined ? [] : [match[0][1]];
    });
    const [other] = others;
    if (other === undefined) {
      if (c.req.method === "POST" && isStrayCallback(c.req.path)) noteStray();
      return observed(c, "unknown", async () => problem(c, "not-found", "no route has this path"));
    }
    const allow = others.map(({ method }) => method).join(", ");
    return observed(c, other.path, async () => wrongMethod(c, allow));
  });
  return app;

  function serve(c: RequestContext, route: Route): Promise<Response> {
    return observed(c, route.path, async () => {
      const refusal = await admit(c, route, context);
      if (refusal !== null || route.isLarge !== true) return refusal ?? route.serve(c, context);
      await compressed(c, async () => {
        const answer = await route.serve(c, context);
        c.res = c.req.header("Accept-Encoding") === undefined ? answer : await withLength(answer);
      });
      return c.res;
    });
  }

  /** A proxy may add a path that PUBLIC_URL lacks. Only this log line shows it. */
  function noteStray(): void {
    const isDue = Math.abs(context.now() - strayLoggedAt) >= STRAY_HINT_MS;
    if (isDue) strayLoggedAt = context.now();
    context.report.strayCallback({ publicPath: context.publicPath, isLogged: isDue });
  }

  /** Logs one line by route template, because a path may hold a token. */
  async function observed(
    c: RequestContext,
    route: string,
    answer: () => Promise<Response>,
  ): Promise<Response> {
    const startedAt = performance.now();
    const requestId = requestIdOf(c.req.header("X-Request-Id"), context.newId);
    c.set("requestId", requestId);
    c.set("caller", null);
    c.set("problem", null);
    c.set("ids", {});
    putHeader(c, "X-Request-Id", requestId);
    for (const [name, value] of Object.entries(commonHeaders)) putHeader(c, name, value);
    let response: Response;
    try {
      response = await answer();
    } catch (error) {
      response = problem(c, ...unexpectedProblem(context, error));
    }
    // While the service drains, clients must send the next request elsewhere.
    if (!context.isAccepting()) response.headers.set("Connection", "close");
    if (isSelfTest(c) && response.ok) return response;
    const durationMs = performance.now() - startedAt;
    const key = c.get("caller")?.name ?? null;
    context.report.httpRequest({
      requestId,
      route,
      method: c.req.method,
      status: response.status,
      reason: c.get("problem"),
      durationMs,
      key,
      ids: c.get("ids"),
    });
    return response;
  }
}

const compressed = compress({
  contentTypeFilter: (type) => COMPRESSIBLE_CONTENT_TYPE_REGEX.test(type) || type === "application/x-ndjson",
});
const STRAY_HINT_MS = 60_000;
/** JSON is never streamed: its length tells whether compression pays. */
async function withLength(answer: Response): Promise<Response> {
  if (!answer.headers.get("Content-Type")?.startsWith("application/json")) return answer;
  const body = await answer.arrayBuffer();
  const headers = new Headers(answer.headers);
  headers.set("Content-Length", String(body.byteLength));
  return new Response(body, { status: answer.status, headers });
}

/** The doctor's reads. Only successful reads may stay out of the log and counters: nobody can hide an attempt. */
function isSelfTest(c: RequestContext): boolean {
  return c.req.method === "GET" && c.req.header(SELF_TEST_HEADER) !== undefined;
}

const methods: Route["method"][] = ["POST", "GET", "DELETE"];

/** Prefers node's own response: the web's Headers cost a sixth of a small request. */
function putHeader(c: RequestContext, name: string, value: string): void {
  const outgoing = c.env?.outgoing;
  if (outgoing === undefined) c.header(name, value);
  else outgoing.setHeader(name, value);
}

/** Callback paths may end with a slash: a wrong token is refused there in the same words. */
function templatesOf({ access, path }: Route): string[] {
  return access === "callback" ? [path, `${path}/`] : [path];
}

/** Null: the caller may use the route. */
async function admit(
  c: RequestContext,
  { access, method }: Route,
  context: AppContext,
): Promise<Response | null> {
  if (access === "open" || access === "callback") return null;
  const authorization = c.req.header("Authorization");
  const isByCookie = authorization === undefined && c.req.header("Cookie") !== undefined;
  const bearer = isByCookie ? null : context.bearers.read(authorization, addressOf(c), context.now());
  if (bearer?.type === "paused") return tooManyWrongKeys(c, bearer.pauseMs);
  const caller = bearer === null ? await callerByCookie(c, context) : callerIn(bearer);
  if (caller === null) return unauthorized(c, "send a valid API key as Authorization: Bearer <key>");
  c.set("caller", caller);
  if (isByCookie && method !== "GET" && !isSameOrigin(c))
    return problem(
      c,
      "forbidden",
      "with a session's cookie, changes are accepted only from Proctor's own page",
    );
  if (!mayCall(caller, access))
    return problem(c, "forbidden", `the role ${caller.role} does not permit this`);
  return null;
}

function callerIn(bearer: BearerResult): Caller | null {
  return bearer.type === "caller" ? bearer.caller : null;
}

function wrongMethod(c: RequestContext, allow: string): Response {
  c.header("Allow", allow);
  return problem(c, "method-not-allowed", `use ${allow}`);
}
