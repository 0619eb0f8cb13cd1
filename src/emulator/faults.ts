// Faults in front of the routes: slowness, bad tokens, throttling, broken answers.
import type { Context, MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import { pause } from "./pause.ts";
import type { TimeForm } from "./switches/calls.ts";
import { cut, type Env, proxyPage, refuse, type World } from "./world.ts";

export function recorder({ ledger, now }: World, prefix: string): MiddlewareHandler<Env> {
  return async (c, next) => {
    const at = now();
    await next();
    ledger.record({
      at,
      method: c.req.method,
      path: c.req.path.slice(prefix.length),
      route: routePath(c, -1).slice(prefix.length),
      status: c.get("destroyed") ? 0 : c.res.status,
      orgSlug: c.req.header("x-org-slug") ?? null,
    });
  };
}

export function gate(world: World, prefix: string): MiddlewareHandler<Env> {
  const { auth, chaos } = world;
  return async (c, next) => {
    const switches = chaos.current();
    const path = c.req.path.slice(prefix.length);
    await pause(world.timers, switches.slow);
    if (path.startsWith("/auth/") || path.startsWith("/health/")) return next();

    const refusal = auth.refusal(c.req.header("authorization"));
    if (refusal !== undefined) return refuse(c, 401, refusal);
    if (chaos.happens("unauthorized", switches.unauthorized))
      return refuse(c, 401, "Token verification timeout");
    if (c.req.method === "POST" && path.endsWith("/start")) {
      if (chaos.happens("throttle.starts", switches.throttle.starts))
        return throttled(c, world, switches.retry_in);
      const { limit } = switches;
      const starts = limit && { calls: limit.starts, window: limit.window };
      return limited(c, world, "starts", starts) ?? next();
    }
    if (chaos.happens("throttle.others", switches.throttle.others))
      return throttled(c, world, switches.retry_in);
    const beyond = path.startsWith("/billing/") && limited(c, world, "billing", switches.billing_limit);
    return beyond || (brokenAnswer(c, world) ?? next());
  };
}

function limited(
  c: Context<Env>,
  world: World,
  kind: "starts" | "billing",
  limit: { calls: number; window: number } | null,
): Response | undefined {
  if (limit === null) return undefined;
  const { reset } = world.chaos.current();
  const now = world.now();
  const { allowed, remaining, resetAt } = world.limiter.take(kind, limit, now);
  c.header("X-RateLimit-Limit", String(limit.calls));
  c.header("X-RateLimit-Remaining", String(remaining));
  c.header("X-RateLimit-Reset", timeForms[reset](resetAt, now));
  return allowed ? undefined : throttled(c, world, resetAt - now);
}

function throttled(c: Context<Env>, { chaos, now }: World, waitMs: number): Response {
  const { retry_after } = chaos.current();
  c.header("Retry-After", timeForms[retry_after](now() + waitMs, now()));
  return refuse(c, 429, "Rate limit exceeded");
}

/** Undefined: no header. */
const timeForms: Record<TimeForm, (at: number, now: number) => string | undefined> = {
  seconds: (at, now) => String(Math.ceil((at - now) / 1000)),
  ms: (at, now) => String(at - now),
  date: (at) => new Date(at).toUTCString(),
  iso: (at) => new Date(at).toISOString(),
  epoch: (at) => String(Math.ceil(at / 1000)),
  epoch_ms: (at) => String(at),
  absurd: () => "9999999999",
  none: () => undefined,
};

function brokenAnswer(c: Context<Env>, { chaos }: World): Response | undefined {
  const { read } = chaos.current();
  if (chaos.happens("read.reset", read.reset)) return cut(c);
  if (chaos.happens("read.500", read["500"])) return refuse(c, 500, "Internal Server Error");
  if (chaos.happens("read.502", read["502"])) return proxyPage(c, 502);
  if (chaos.happens("read.503", read["503"])) return refuse(c, 503, "Service Unavailable");
  if (chaos.happens("read.html", read.html)) return proxyPage(c, 200);
  return undefined;
}
