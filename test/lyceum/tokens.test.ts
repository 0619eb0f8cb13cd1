import { describe, expect, test } from "vitest";
import { createAuth, type RequestToken, type TokenOutcome } from "../../src/lyceum/auth.ts";
import type { Reply } from "../../src/lyceum/http-exchange.ts";
import { createFakeTime } from "./fake-time.ts";

const MINUTE = 60_000;

type Said = { status: number; body?: unknown } | Exclude<Reply, { type: "answer" }>;

/** `answer` says what Lyceum answers to the nth request for a token, counted from 1. */
function setUp(answer: (nth: number, path: string) => Said, instances = 1) {
  const clock = createFakeTime();
  const asked: string[] = [];
  const credentials = { email: "a@example.test", password: "correct horse" };
  const request: RequestToken = async (path) => {
    asked.push(path);
    const said = answer(asked.length, path);
    if ("type" in said) return said;
    const text = typeof said.body === "string" ? said.body : JSON.stringify(said.body ?? null);
    return {
      type: "answer",
      status: said.status,
      retryAfterMs: null,
      body: { bytes: Buffer.from(text) },
      secrets: [],
    };
  };
  return { clock, asked, auth: createAuth(credentials, clock, request, () => instances) };
}

const issued = (nth: number, more: object = {}) => ({
  status: 200,
  body: { access_token: `token-${nth}`, refresh_token: `refresh-${nth}`, ...more },
});
const jwt = (exp: unknown) => `h.${Buffer.from(JSON.stringify({ exp })).toString("base64url")}.s`;
const tokenOf = (outcome: TokenOutcome) => (outcome.type === "token" ? outcome.token : outcome);

describe("a token just issued", () => {
  const start = createFakeTime().now() / 1000;
  test.each([
    ["no life", { expires_in: 0 }],
    ["a negative life", { expires_in: -86_400 }],
    ["nonsense for a life", { expires_in: "soon" }],
    ["a life of null", { expires_in: null }],
    ["an endless life", { expires_in: 1e308 }],
    ["an end that is over by our clock", { access_token: jwt(start - 10 * 3600) }],
    ["an end in the year 1970", { access_token: jwt(1) }],
    ["an end that is no number", { access_token: jwt({}) }],
    ["no life and an end that is over", { expires_in: 0, access_token: jwt(start - 1) }],
  ])("a token just issued with %s is used until its 401", async (_, more) => {
    const { clock, asked, auth } = setUp((nth) => (nth === 1 ? issued(1, more) : issued(nth)));
    const first = tokenOf(await auth.token());
    for (let minute = 0; minute < 48 * 60; minute++) {
      clock.pass(MINUTE);
      expect(tokenOf(await auth.token())).toBe(first);
    }
    expect(asked).toEqual(["/auth/login"]);
    expect(tokenOf(await auth.renew(String(first)))).toBe("token-2");
  });

  test("a token just issued with an end that is near by our clock is renewed once a minute at most", async () => {
    const { clock, asked, auth } = setUp((nth) => issued(nth, { expires_in: 2 }));
    for (let second = 0; second < 600; second++) {
      expect(await auth.token()).toMatchObject({ type: "token" });
      clock.pass(1_000);
    }
    expect(asked.length).toBeLessThanOrEqual(10);
  });
});

describe("at most one renewal a minute is made", () => {
  /** A call whose token is always refused, as the caller sees it. */
  async function call(auth: ReturnType<typeof createAuth>): Promise<string> {
    const first = await auth.token();
    if (first.type !== "token") return first.type;
    const second = await auth.renew(first.token);
    return second.type === "token" ? "sent again" : second.type;
  }

  test("at most one renewal a minute is made when every token is refused", async () => {
    const { clock, asked, auth } = setUp((nth) => issued(nth));
    const ends = new Map<string, number>();
    for (let second = 0; second < 600; second++) {
      const end = await call(auth);
      ends.set(end, (ends.get(end) ?? 0) + 1);
      clock.pass(1_000);
    }
    expect(asked.length).toBe(11);
    expect(Object.fromEntries(ends)).toEqual({ "sent again": 10, unauthorized: 590 });
  });

  test("at most one renewal a minute is made by several instances together when the login is refused", async () => {
    const setUps = [1, 2, 3].map(() => setUp(() => ({ status: 401, body: { detail: "wrong password" } }), 3));
    for (let second = 0; second < 600; second++)
      for (const { clock, auth } of setUps) {
        expect(await call(auth)).toBe("unauthorized");
        clock.pass(1_000);
      }
    const asked = setUps.flatMap((one) => one.asked);
    // The first of each, and then 3 in 3 minutes.
    expect(asked.length).toBeLessThanOrEqual(3 + 10);
  });

  test("at most one renewal a minute is made when the renewals are refused, too", async () => {
    const { clock, asked, auth } = setUp((nth) =>
      nth === 1 ? issued(1) : { status: 401, body: { detail: "no" } },
    );
    for (let second = 0; second < 600; second++) {
      expect(await call(auth)).toBe("unauthorized");
      clock.pass(1_000);
    }
    // The refresh and the login that it falls back to.
    expect(asked.length).toBe(1 + 2 * 10);
  });

  test("at most one renewal a minute is made before a token's end while nobody answers, and the token stays in use", async () => {
    const { clock, asked, auth } = setUp((nth) =>
      nth === 1 ? issued(1, { expires_in: 600 }) : { status: 503 },
    );
    for (let second = 0; second < 1_200; second++) {
      expect(tokenOf(await auth.token())).toBe("token-1");
      clock.pass(1_000);
    }
    expect(asked.length).toBe(1 + 2 * 15);
  });
});

describe("an answer to a login that is somebody else's", () => {
  const page = "<html><body>403 Forbidden</body></html>";
  test.each<[string, Said]>([
    ["a page", { status: 200, body: page }],
    ["a redirect", { status: 302, body: page }],
    ["a redirect without a body", { status: 307, body: "" }],
    ["a page of 403", { status: 403, body: page }],
    ["a page of 404", { status: 404, body: page }],
    ["a text of 404", { status: 404, body: "default backend - 404" }],
    ["JSON of 404 without detail", { status: 404, body: { message: "no Route matched" } }],
    ["JSON of 403 with a detail of null", { status: 403, body: { detail: null } }],
    ["nothing at 403", { status: 403, body: "" }],
    ["413", { status: 413, body: page }],
    ["an empty success", { status: 200, body: "" }],
    ["an empty object", { status: 200, body: {} }],
    ["a list", { status: 200, body: [] }],
    ["503", { status: 503, body: { detail: "down" } }],
    ["408", { status: 408, body: { detail: "slow" } }],
    ["silence", { type: "silent", sent: true, detail: "ECONNRESET" }],
  ])(
    "an answer to a login that is somebody else's such as %s is silence, and the next call may log in at once",
    async (_, said) => {
      const { asked, auth } = setUp((nth) => (nth === 1 ? said : issued(nth)));
      expect(await auth.token()).toMatchObject({ type: "silent", sent: false });
      expect(await auth.token()).toEqual({ type: "token", token: "token-2" });
      expect(asked).toEqual(["/auth/login", "/auth/login"]);
    },
  );

  test("an answer to a login that is somebody else's does not end a renewal after a 401 for good, either", async () => {
    const { auth } = setUp((nth) => (nth === 2 || nth === 3 ? { status: 403, body: page } : issued(nth)));
    await auth.token();
    expect(await auth.renew("token-1")).toMatchObject({ type: "silent", sent: false });
    expect(await auth.renew("token-1")).toEqual({ type: "token", token: "token-4" });
  });

  test.each<[string, number, unknown]>([
    ["401 in any form", 401, page],
    ["403 with detail", 403, { detail: "locked" }],
    ["422 with a list", 422, { detail: [{ loc: ["body", "email"], msg: "not an email" }] }],
    ["the oldest envelope's errors", 400, { status: "error", errors: [{ message: "no" }] }],
    ["a success without a token", 200, { mfa_required: true }],
  ])("a login that is answered with %s is refused for a minute", async (_, status, body) => {
    const { asked, clock, auth } = setUp(() => ({ status, body }));
    expect(await auth.token()).toMatchObject({ type: "unauthorized" });
    clock.pass(MINUTE - 1);
    expect(await auth.token()).toMatchObject({ type: "unauthorized" });
    expect(asked).toHaveLength(1);
    clock.pass(1);
    await auth.token();
    expect(asked).toHaveLength(2);
  });
});

test("a token comes out of the oldest edition's envelope, too", async () => {
  const data = { access_token: "one", refresh_token: "r", expires_in: 86_400 };
  const { auth } = setUp(() => ({ status: 200, body: { status: "success", data } }));
  expect(await auth.token()).toEqual({ type: "token", token: "one" });
});
