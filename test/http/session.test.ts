// The session of the operator's page, over HTTP: how it begins, what it allows, and when it ends.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MAX_WRONG_SIGN_INS } from "../../src/http/wrong-key-limit.ts";
import { SESSION_MS } from "../../src/orchestration/sessions.ts";
import { apiKeys, image, type Service, startService } from "../support/service.ts";

const own = { "Sec-Fetch-Site": "same-origin" };
const oneTimeKey = `once-${"x".repeat(40)}`;

let service: Service;
let shiftMs = 0;
beforeAll(async () => {
  service = await startService({
    surroundings: {
      clock: { now: () => Date.now() + shiftMs, monotonic: () => performance.now() },
      oneTimeKeys: [
        { key: oneTimeKey, name: "admin", expiresAt: Date.now() + 60_000 },
        { key: `${oneTimeKey}-old`, name: "admin", expiresAt: Date.now() - 1 },
      ],
    },
  });
});
afterAll(() => service.close());

async function signIn(key: string, headers: Record<string, string> = own): Promise<string> {
  const answer = await service.nobody.post("/session", { key }, headers);
  expect(answer.status).toBe(204);
  return (answer.headers.get("Set-Cookie") ?? "").split(";")[0] ?? "";
}

it("the cookie cannot be read by scripts and other sites, and names no key", async () => {
  const answer = await service.nobody.post("/session", { key: apiKeys.ann }, own);
  const cookie = answer.headers.get("Set-Cookie") ?? "";
  expect(cookie).toMatch(/^proctor=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/);
  const rows = service.rows("select * from sessions");
  expect(JSON.stringify(rows)).not.toContain(cookie.slice("proctor=".length, 40));
  expect(JSON.stringify(rows)).not.toContain(apiKeys.ann);
});

it("beyond loopback the cookie is Secure and bound to its host", async () => {
  const answer = await fetch(`${service.url()}/session`, {
    method: "POST",
    body: JSON.stringify({ key: apiKeys.ann }),
  });
  expect(answer.headers.get("Set-Cookie")).toMatch(/^proctor=/);
  const { request } = await import("node:http");
  const cookie = await new Promise<string>((resolve, reject) => {
    const asked = request(
      `${service.url()}/session`,
      { method: "POST", headers: { Host: "proctor.example.com" } },
      (response) => resolve(String(response.headers["set-cookie"])),
    );
    asked.once("error", reject);
    asked.end(JSON.stringify({ key: apiKeys.ann }));
  });
  expect(cookie).toMatch(
    /^__Host-proctor=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
  );
});

it("requests with the cookie act with the key's role and see its jobs only", async () => {
  const { id } = await service.submit({ runs: [image()] });
  const seenBy = async (key: string) =>
    (await service.nobody.get(`/v1/jobs/${id}`, { Cookie: await signIn(key) })).status;
  expect(await seenBy(apiKeys.ann)).toBe(200);
  expect(await seenBy(apiKeys.bob)).toBe(404);
  expect(await seenBy(apiKeys.reader)).toBe(200);
  const reader = { Cookie: await signIn(apiKeys.reader), ...own };
  expect((await service.nobody.post(`/v1/jobs/${id}/cancel`, {}, reader)).status).toBe(403);
});

describe("a change by cookie", () => {
  const foreign: Record<string, string>[] = [
    {},
    { "Sec-Fetch-Site": "cross-site" },
    { "Sec-Fetch-Site": "same-site" },
    { "Sec-Fetch-Site": "none" },
    { Origin: "https://evil.example" },
    { Origin: "null" },
    { Origin: "http://127.0.0.1:1" },
  ];

  it("a change by cookie is refused unless our own page sent it", async () => {
    const { id } = await service.submit({ runs: [image("delay=50s")] });
    const Cookie = await signIn(apiKeys.ann);
    const cancel = (headers: Record<string, string>) =>
      service.nobody.post(`/v1/jobs/${id}/cancel`, {}, { Cookie, ...headers });
    for (const headers of foreign) expect((await cancel(headers)).status).toBe(403);
    expect((await service.ann.get(`/v1/jobs/${id}`)).body.cancellation).toBe(null);
    expect((await cancel({ Origin: service.url() })).status).toBe(200);
  });

  it("a change by a Bearer key needs no origin, because programs send none", async () => {
    const Cookie = await signIn(apiKeys.ann);
    const { status } = await service.ann.post("/v1/jobs", { runs: [image()] }, { Cookie });
    expect(status).toBe(202);
  });

  it("signing in and out for another site is refused", async () => {
    const Cookie = await signIn(apiKeys.ann);
    for (const headers of foreign.slice(1)) {
      expect((await service.nobody.post("/session", { key: apiKeys.ann }, headers)).status).toBe(403);
      expect(
        (await service.nobody.call("DELETE", "/session", undefined, { Cookie, ...headers })).status,
      ).toBe(403);
    }
    expect((await service.nobody.get("/v1/jobs", { Cookie })).status).toBe(200);
  });
});

describe("a session ends", () => {
  it("signing out ends the session, also for copies of the cookie", async () => {
    const Cookie = await signIn(apiKeys.ann);
    const answer = await service.nobody.call("DELETE", "/session", undefined, { Cookie, ...own });
    expect(answer.status).toBe(204);
    expect(answer.headers.get("Set-Cookie")).toMatch(/^proctor=; Max-Age=0;/);
    expect((await service.nobody.get("/v1/jobs", { Cookie })).status).toBe(401);
  });

  it("a session ends after twelve hours", async () => {
    const Cookie = await signIn(apiKeys.ann);
    try {
      shiftMs = SESSION_MS - 60_000;
      expect((await service.nobody.get("/v1/jobs", { Cookie })).status).toBe(200);
      shiftMs = SESSION_MS + 1_000;
      expect((await service.nobody.get("/v1/jobs", { Cookie })).status).toBe(401);
    } finally {
      shiftMs = 0;
    }
  });

  it("a session ends with its key, also when the name gets another key, but not with a restart", async () => {
    const Cookie = await signIn(apiKeys.bob);
    await service.restart();
    expect((await service.nobody.get("/v1/jobs", { Cookie })).status).toBe(200);
    await service.restart({
      API_KEYS: `bob:${apiKeys.bob.replace("bob", "new")},admin:${apiKeys.admin}:admin`,
    });
    expect((await service.nobody.get("/v1/jobs", { Cookie })).status).toBe(401);
    await service.restart();
  });
});

it("a one-time key signs in once, and not when it is too old", async () => {
  const attempt = async (key: string) => (await service.nobody.post("/session", { key }, own)).status;
  expect(await attempt(`${oneTimeKey}-old`)).toBe(401);
  expect(await attempt(oneTimeKey)).toBe(204);
  expect(await attempt(oneTimeKey)).toBe(401);
});

it("many wrong keys pause the sign-in, for the right key too, until a minute is over", async () => {
  const attempt = (key: string) => service.nobody.post("/session", { key }, own);
  shiftMs = 5 * 60_000;
  for (let tried = 0; tried < MAX_WRONG_SIGN_INS; tried++)
    expect((await attempt(`wrong-${tried}-${"x".repeat(32)}`)).status).toBe(401);
  const refused = await attempt(apiKeys.ann);
  expect(refused).toMatchObject({ status: 429, body: { type: "urn:proctor:problem:too-many-attempts" } });
  expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThan(0);
  // A key in a header is not the sign-in's affair.
  expect((await service.ann.get("/v1/jobs")).status).toBe(200);
  shiftMs += 61_000;
  expect((await attempt(apiKeys.ann)).status).toBe(204);
  shiftMs = 0;
});
