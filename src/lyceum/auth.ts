// Authentication at Lyceum: an API key, or a login whose token is renewed before it expires and after a 401.
import type { Clock } from "../lib/clock.ts";
import { parseJson } from "../lib/json-text.ts";
import type { Reply } from "./http-exchange.ts";
import { isObject, readNumber } from "./lenient-values.ts";
import { toReadOutcome } from "./outcome-of-reply.ts";
import type { AnswerOf } from "./schema.ts";

export type Credentials = { apiKey: string } | { email: string; password: string };

/** A reason for no token: nothing of the call has been sent. */
export type TokenOutcome = { type: "token"; token: string } | Exclude<Reply, { type: "answer" }>;

export interface Auth {
  token(): Promise<TokenOutcome>;
  /** Concurrent callers share one renewal after a 401 on `refused`. */
  renew(refused: string): Promise<TokenOutcome>;
}

/** Without token and without retry. */
export type RequestToken = (path: TokenPath, body: Record<string, string>) => Promise<Reply>;

type TokenPath = "/auth/login" | "/auth/refresh";

/** A token is renewed when this much of its life is left, as the vendor's own client does [cli]. */
const RENEW_BEFORE_MS = 300_000;
/**
 * A renewal that was answered is not repeated for this long: repeated logins could lock the account. Each of several
 * processes waits so many times as long.
 */
const RENEWAL_PAUSE_MS = 60_000;

/** @param instances the number of processes that use the account */
export function createAuth(
  credentials: Credentials,
  clock: Clock,
  requestToken: RequestToken,
  instances = () => 1,
): Auth {
  return "apiKey" in credentials
    ? keyAuth(credentials.apiKey)
    : loginAuth(credentials, clock, requestToken, instances);
}

/** One word of printable ASCII: anything else makes fetch throw, and then it is unknown what was sent. */
export function isHeaderValue(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

function keyAuth(apiKey: string): Auth {
  const token = apiKey.trim();
  if (!isHeaderValue(token)) throw new Error("The Lyceum API key is empty or has blanks inside");
  return {
    token: async () => ({ type: "token", token }),
    renew: async () => ({ type: "unauthorized", detail: "Lyceum refused the API key" }),
  };
}

interface Session {
  access: string;
  refresh: string | null;
  /** Monotonic; Infinity when Lyceum does not say how long the token lives. */
  renewAt: number;
}

function loginAuth(
  login: { email: string; password: string },
  clock: Clock,
  requestToken: RequestToken,
  instances: () => number,
): Auth {
  let session: Session | null = null;
  let renewal: Promise<TokenOutcome> | null = null;
  let pause = { until: Number.NEGATIVE_INFINITY, detail: "" };

  /** If the renewal fails, the old token is used until its 401: its expiry was computed with a clock that may be wrong. */
  async function token(): Promise<TokenOutcome> {
    const current = session;
    if (current && clock.monotonic() < current.renewAt) return { type: "token", token: current.access };
    const renewed = await renewOnce();
    if (renewed.type === "token" || !current) return renewed;
    current.renewAt = clock.monotonic() + RENEWAL_PAUSE_MS;
    return { type: "token", token: current.access };
  }

  async function renew(refused: string): Promise<TokenOutcome> {
    if (session && session.access !== refused) return { type: "token", token: session.access };
    return renewOnce();
  }

  function renewOnce(): Promise<TokenOutcome> {
    renewal ??= obtain().finally(() => {
      renewal = null;
    });
    return renewal;
  }

  async function obtain(): Promise<TokenOutcome> {
    if (clock.monotonic() < pause.until) return { type: "unauthorized", detail: pause.detail };
    const isRenewal = session !== null;
    const obtained = await refreshOrLogIn();
    const detail =
      obtained.type === "unauthorized" ? obtained.detail : "Lyceum refused a token that it just issued";
    if (obtained.type === "unauthorized" || (obtained.type === "token" && isRenewal)) {
      pause = { until: clock.monotonic() + RENEWAL_PAUSE_MS * instances(), detail };
    }
    return obtained;
  }

  async function refreshOrLogIn(): Promise<TokenOutcome> {
    if (session?.refresh) {
      const refreshed = await request("/auth/refresh", { refresh_token: session.refresh });
      // The form of a refresh is not documented, so any other answer falls back to the login.
      if (refreshed.type === "token" || refreshed.type === "throttled") return refreshed;
    }
    return request("/auth/login", { email: login.email, password: login.password });
  }

  async function request(path: TokenPath, body: Record<string, string>): Promise<TokenOutcome> {
    const outcome = await toReadOutcome(await requestToken(path, body), path, "session", {
      secrets: Object.values(body),
    });
    switch (outcome.type) {
      case "ok": {
        const next = toSession(outcome.value, session?.refresh ?? null, clock);
        if (!next) return { type: "unauthorized", detail: `${path}: no usable token in the answer` };
        session = next;
        return { type: "token", token: next.access };
      }
      case "throttled":
        return { type: "throttled", retryAfterMs: outcome.retryAfterMs };
      case "unreachable":
        return { type: "silent", sent: false, detail: outcome.detail };
      case "unreadable":
        // An empty answer is not Lyceum's. Fields without a token are a refusal (a second factor may be due).
        if (outcome.isEmpty) return { type: "silent", sent: false, detail: outcome.detail };
        return { type: "unauthorized", detail: outcome.detail };
      default:
        return { type: "unauthorized", detail: outcome.detail };
    }
  }

  return { token, renew };
}

function toSession(
  { access, refresh, expiresInS }: AnswerOf<"session">,
  formerRefresh: string | null,
  clock: Clock,
): Session | null {
  if (!isHeaderValue(access)) return null;
  const lifeMs = lifeOf(access, expiresInS, clock);
  // A token that lives shorter than twice the margin would otherwise be renewed at every call.
  const renewInMs = lifeMs - Math.min(RENEW_BEFORE_MS, lifeMs / 2);
  return {
    access,
    refresh: refresh ?? formerRefresh,
    renewAt: clock.monotonic() + Math.max(renewInMs, RENEWAL_PAUSE_MS),
  };
}

/** Infinity if unknown. An expiry in the past is wrong, or from another clock. */
function lifeOf(jwt: string, expiresInS: number | null, clock: Clock): number {
  if (expiresInS !== null && expiresInS > 0) return expiresInS * 1000;
  const payload = parseJson(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString("utf8"));
  const exp = isObject(payload) ? readNumber(payload.exp) : null;
  const lifeMs = exp === null ? 0 : exp * 1000 - clock.now();
  return lifeMs > 0 ? lifeMs : Number.POSITIVE_INFINITY;
}
