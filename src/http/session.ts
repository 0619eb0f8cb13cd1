// The dashboard's session cookie: signing in and out, and authenticating requests by cookie.
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { closeSession, openSession, SESSION_MS, sessionKeyName } from "../orchestration/sessions.ts";
import type { Caller } from "./auth.ts";
import type { AppContext, RequestContext } from "./request-context.ts";

export async function signIn(
  c: RequestContext,
  context: AppContext,
  key: { name: string; fingerprint: string },
): Promise<void> {
  const id = await openSession(context, key);
  setCookie(c, cookieName(c), id, { ...attributes(c), maxAge: SESSION_MS / 1_000 });
}

export async function signOut(c: RequestContext, context: AppContext): Promise<void> {
  const id = getCookie(c, cookieName(c));
  if (id !== undefined) await closeSession(context, id);
  deleteCookie(c, cookieName(c), attributes(c));
}

/** Null without a cookie, or if the session has ended. */
export async function callerByCookie(c: RequestContext, context: AppContext): Promise<Caller | null> {
  const id = getCookie(c, cookieName(c));
  if (id === undefined || !/^[\w-]{43}$/.test(id)) return null;
  const name = await sessionKeyName(context, id, context.now(), context.keys.keyNamed);
  const key = name === null ? undefined : context.keys.keyNamed(name);
  return key === undefined ? null : { name: key.name, role: key.role };
}

/** Pages of other sites could send the cookie, too. */
export function isSameOrigin(c: RequestContext): boolean {
  const site = c.req.header("Sec-Fetch-Site");
  if (site !== undefined) return site === "same-origin";
  const origin = c.req.header("Origin") ?? "";
  return URL.canParse(origin) && new URL(origin).host === (c.req.header("Host") ?? "").toLowerCase();
}

/** Browsers keep Secure cookies only over HTTPS; loopback addresses use HTTP. */
function cookieName(c: RequestContext): string {
  return isLoopbackHost(c) ? "proctor" : "__Host-proctor";
}

function attributes(c: RequestContext) {
  return { httpOnly: true, sameSite: "Strict", path: "/", secure: !isLoopbackHost(c) } as const;
}

function isLoopbackHost(c: RequestContext): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i.test(c.req.header("Host") ?? "");
}
