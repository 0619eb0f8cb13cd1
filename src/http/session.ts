// The cookie of the operator's page: who may sign in, whom a cookie speaks for, and which requests it may come with.
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { closeSession, openSession, SESSION_MS, sessionKeyName } from "../orchestration/sessions.ts";
import type { Caller } from "./auth.ts";
import type { AppContext, RequestContext } from "./request-context.ts";

/** Starts a session in the caller's browser. */
export async function signIn(
  c: RequestContext,
  desk: AppContext,
  key: { name: string; fingerprint: string },
): Promise<void> {
  const id = await openSession(desk, key);
  setCookie(c, cookieName(c), id, { ...attributes(c), maxAge: SESSION_MS / 1_000 });
}

export async function signOut(c: RequestContext, desk: AppContext): Promise<void> {
  const id = getCookie(c, cookieName(c));
  if (id !== undefined) await closeSession(desk, id);
  deleteCookie(c, cookieName(c), attributes(c));
}

/** Null without a cookie, and when its session is over. */
export async function callerByCookie(c: RequestContext, desk: AppContext): Promise<Caller | null> {
  const id = getCookie(c, cookieName(c));
  if (id === undefined || !/^[\w-]{43}$/.test(id)) return null;
  const name = await sessionKeyName(desk, id, desk.now(), desk.keys.keyNamed);
  const key = name === null ? undefined : desk.keys.keyNamed(name);
  return key === undefined ? null : { name: key.name, role: key.role };
}

/** Whether our own page sent the request: another site's could ride on the cookie. */
export function isSameOrigin(c: RequestContext): boolean {
  const site = c.req.header("Sec-Fetch-Site");
  if (site !== undefined) return site === "same-origin";
  const origin = c.req.header("Origin") ?? "";
  return URL.canParse(origin) && new URL(origin).host === (c.req.header("Host") ?? "").toLowerCase();
}

/** Browsers keep a Secure cookie only over HTTPS, which a loopback address does without. */
function cookieName(c: RequestContext): string {
  return isLoopbackHost(c) ? "proctor" : "__Host-proctor";
}

function attributes(c: RequestContext) {
  return { httpOnly: true, sameSite: "Strict", path: "/", secure: !isLoopbackHost(c) } as const;
}

function isLoopbackHost(c: RequestContext): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i.test(c.req.header("Host") ?? "");
}
