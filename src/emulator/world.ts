// State and helpers that all routes share.

import type { HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Auth } from "./auth.ts";
import type { Callbacks } from "./callbacks.ts";
import type { Chaos } from "./chaos.ts";
import type { Detail } from "./detail.ts";
import type { Engine } from "./engine.ts";
import type { Ledger } from "./ledger.ts";
import type { Limiter } from "./limiter.ts";
import type { Timers } from "./pause.ts";

export interface World {
  auth: Auth;
  callbacks: Callbacks;
  chaos: Chaos;
  engine: Engine;
  ledger: Ledger;
  limiter: Limiter;
  timers: Timers;
  now: () => number;
}

/** Variables: `destroyed` is set when the connection was cut instead of an answer. */
export type Env = { Bindings: HttpBindings; Variables: { destroyed?: boolean } };

export function refuse(c: Context<Env>, status: ContentfulStatusCode, detail: string | Detail[]): Response {
  return c.json({ detail }, status);
}

/** Like a crash or a bad network. */
export function cut(c: Context<Env>): Response {
  c.set("destroyed", true);
  c.env.incoming.socket.resetAndDestroy();
  return RESPONSE_ALREADY_SENT;
}

export async function silence(c: Context<Env>): Promise<Response> {
  c.set("destroyed", true);
  await new Promise((resolve) => c.env.incoming.socket.once("close", resolve));
  return RESPONSE_ALREADY_SENT;
}

export function proxyPage(c: Context<Env>, status: ContentfulStatusCode): Response {
  return c.html(`<html><body><h1>emulator: proxy page ${status}</h1></body></html>`, status);
}

export async function readJson(c: Context<Env>): Promise<unknown> {
  const text = await c.req.text();
  try {
    return JSON.parse(text);
  } catch {
    // Invalid JSON is answered with 422, so it is not an error here.
    return undefined;
  }
}
