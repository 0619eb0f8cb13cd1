import nock from "nock";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createLyceumClient } from "../../src/lyceum/client.ts";
import { createRateLimiter } from "../../src/lyceum/rate-limiter.ts";
import { createFakeTime } from "./fake-time.ts";

const origin = "https://lyceum.example.test";
const credentials = { email: "a@example.test", password: "correct horse" };
const MINUTE = 60_000;

function setUp() {
  const clock = createFakeTime();
  const rateLimiter = createRateLimiter({ clock, random: () => 0 });
  const client = createLyceumClient({ baseUrl: origin, orgSlug: "team-a", credentials, rateLimiter, clock });
  return { client, rateLimiter, clock, read: () => client.workloads("routine") };
}

const login = (token: string, more: object = { expires_in: 86_400 }) =>
  nock(origin, { badheaders: ["authorization"] })
    .post("/auth/login", credentials)
    .reply(200, { access_token: token, refresh_token: `refresh-${token}`, ...more });
const refresh = (from: string) => nock(origin).post("/auth/refresh", { refresh_token: `refresh-${from}` });
const list = (token: string) =>
  nock(origin, { reqheaders: { authorization: `Bearer ${token}`, "x-org-slug": "team-a" } }).get(
    "/workloads/list",
  );
const jwt = (exp: number) => `h.${Buffer.from(JSON.stringify({ exp })).toString("base64url")}.s`;
const request = { path: "/execution/streaming/start", body: { code: "" }, secrets: [] };

beforeEach(() => nock.disableNetConnect());
afterEach(() => {
  expect(nock.pendingMocks()).toEqual([]);
  nock.cleanAll();
  nock.enableNetConnect();
});

describe("a login", () => {
  test("a login is made once for concurrent calls, and its token used by all, trimmed", async () => {
    login(" one\n");
    list("one").times(3).reply(200, []);
    const { read } = setUp();
    expect(await Promise.all([read(), read(), read()])).toEqual(Array(3).fill({ type: "ok", value: [] }));
  });

  test("a login is renewed by refresh when five minutes are left", async () => {
    login("one");
    list("one").times(2).reply(200, []);
    refresh("one").reply(200, { access_token: "two", refresh_token: "refresh-two", expires_in: 86_400 });
    list("two").reply(200, []);
    const { read, clock } = setUp();
    await read();
    clock.pass(24 * 60 * MINUTE - 5 * MINUTE - 1);
    await read();
    clock.pass(1);
    expect(await read()).toMatchObject({ type: "ok" });
  });

  test("a login knows the end of a token from the token itself", async () => {
    const { read, clock } = setUp();
    const token = jwt(clock.now() / 1000 + 3600);
    login(token, {});
    list(token).reply(200, []);
    refresh(token).reply(200, { access_token: "two" });
    list("two").times(2).reply(200, []);
    await read();
    clock.pass(55 * MINUTE);
    await read();
    clock.pass(99 * 60 * MINUTE);
    expect(await read()).toMatchObject({ type: "ok" });
  });

  test("a login with a token that lives shortly is not renewed at every call", async () => {
    login("one", { expires_in: 200 });
    list("one").times(2).reply(200, []);
    const { read, clock } = setUp();
    await read();
    clock.pass(90_000);
    expect(await read()).toMatchObject({ type: "ok" });
  });

  test("a login keeps using a token that still holds when its renewal fails", async () => {
    login("one");
    list("one").times(2).reply(200, []);
    refresh("one").reply(503);
    nock(origin).post("/auth/login").reply(503);
    const { read, clock } = setUp();
    await read();
    clock.pass(24 * 60 * MINUTE - 4 * MINUTE);
    expect(await read()).toMatchObject({ type: "ok" });
  });

  test("a login that is refused is an outcome without the password, and not tried again for a minute", async () => {
    nock(origin).post("/auth/login").reply(401, { detail: "wrong password: correct horse" });
    const { client, read, clock, rateLimiter } = setUp();
    rateLimiter.reserve("execution");
    const detail = "/auth/login: 401: wrong password: [hidden]";
    expect(await client.start(request)).toEqual({
      type: "unauthorized",
      detail: `POST /execution/streaming/start: ${detail}`,
    });
    expect(rateLimiter.state().buckets.execution.used).toBe(0);
    expect(await read()).toMatchObject({ type: "unauthorized" });
    clock.pass(MINUTE);
    login("one");
    list("one").reply(200, []);
    expect(await read()).toMatchObject({ type: "ok" });
  });

  test.each([
    ["without a token", 200, { mfa_required: true }, "unauthorized"],
    ["with a refusal of Lyceum's", 403, { detail: "locked" }, "unauthorized"],
    ["in HTML", 200, "<html>", "unreachable"],
    ["of a page", 403, "<html>Access denied</html>", "unreachable"],
    ["of 500", 500, { detail: "boom" }, "unreachable"],
    ["of a redirect", 302, "", "unreachable"],
  ])("answer %s leaves a start unsent", async (_, status, body, outcome) => {
    nock(origin).post("/auth/login").reply(status, body);
    expect(await setUp().client.start(request)).toMatchObject({ type: outcome });
  });

  test("a login that gets no answer leaves a start unreachable, not unknown", async () => {
    nock(origin)
      .post("/auth/login")
      .replyWithError(Object.assign(new Error("x"), { code: "ECONNRESET" }));
    const { client, rateLimiter } = setUp();
    rateLimiter.reserve("execution");
    expect(await client.start(request)).toMatchObject({ type: "unreachable" });
    expect(rateLimiter.state().buckets.execution.used).toBe(0);
  });

  test("a login that is throttled leaves a start throttled", async () => {
    nock(origin).post("/auth/login").reply(429, "", { "retry-after": "9" });
    const { client } = setUp();
    expect(await client.start(request)).toEqual({ type: "throttled", retryAfterMs: 9_000 });
    expect(await client.start(request)).toEqual({ type: "throttled", retryAfterMs: 9_000 });
  });
});

describe("a 401", () => {
  test("a 401 is cured by one refresh that concurrent calls share", async () => {
    login("one");
    list("one").times(3).reply(401, { detail: "token expired" });
    refresh("one").reply(200, { access_token: "two", refresh_token: "refresh-two", expires_in: 86_400 });
    list("two").times(3).reply(200, []);
    const { read } = setUp();
    const outcomes = await Promise.all([read(), read(), read()]);
    expect(outcomes.map((each) => each.type)).toEqual(["ok", "ok", "ok"]);
  });

  test("a 401 on a start is cured too, and takes one place", async () => {
    login("one");
    nock(origin).post(request.path).reply(401);
    refresh("one").reply(200, { access_token: "two" });
    nock(origin).post(request.path).reply(200, { execution_id: "5d0b" });
    const { client, rateLimiter } = setUp();
    rateLimiter.reserve("execution");
    expect(await client.start(request)).toMatchObject({ type: "accepted" });
    expect(rateLimiter.state().buckets.execution.used).toBe(1);
  });

  test("a 401 falls back to a login when the refresh is refused", async () => {
    login("one");
    list("one").reply(401);
    refresh("one").reply(422, { detail: [] });
    login("two");
    list("two").reply(200, []);
    expect(await setUp().read()).toMatchObject({ type: "ok" });
  });

  test("a 401 on a fresh token is final", async () => {
    login("one");
    list("one").reply(401);
    refresh("one").reply(200, { access_token: "two" });
    list("two").reply(401, { detail: "two is no good" });
    expect(await setUp().read()).toEqual({
      type: "unauthorized",
      detail: "GET /workloads/list: 401: two is no good",
    });
  });
});
