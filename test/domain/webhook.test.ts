// Webhooks and deliveries by themselves: types, URLs, secrets, and when an attempt is the last.
import { describe, expect, test } from "vitest";
import { afterAttempt, MAX_ATTEMPTS } from "../../src/domain/delivery.ts";
import {
  inForce,
  isWebhookSecret,
  matchesType,
  payloadOf,
  rotate,
  type Secret,
  urlProblem,
} from "../../src/domain/webhook.ts";

const HOUR = 3_600_000;

test("a subscription matches the types that it names, all types of a kind, or every type", () => {
  expect(matchesType(["job.failed"], "job.failed")).toBe(true);
  expect(matchesType(["job.failed"], "job.succeeded")).toBe(false);
  expect(matchesType(["run.*", "job.failed"], "run.queued")).toBe(true);
  expect(matchesType(["run.*"], "job.failed")).toBe(false);
  expect(matchesType(["*"], "webhook.disabled")).toBe(true);
  expect(matchesType([], "job.failed")).toBe(false);
});

describe("a URL", () => {
  test.each([
    ["ftp://example.com/", "not a URL"],
    ["example.com", "not a URL"],
    ["https://", "not a URL"],
    ["https:example.com", "not a URL"],
    ["https://ann:pw@example.com/", "user name"],
    ["https://ann@example.com/", "user name"],
    ["https://example.com/#part", "fragment"],
    ["https://example.com:25/", "port"],
    ["https://example.com:0/", "port"],
    ["https://example.com:99999/", "not a URL"],
    [`https://example.com/${"a".repeat(2_000)}`, "longer"],
  ])("a URL such as %s is refused", (url, why) => expect(urlProblem(url)).toContain(why));

  test.each([
    "https://example.com",
    "https://example.com:8443/hook?token=1",
    "http://127.0.0.1:80/",
    "HTTPS://[::1]:3000/",
  ])("a URL such as %s is taken on the face of it", (url) => expect(urlProblem(url)).toBeNull());
});

test("a secret is whsec_ and 24 to 64 bytes in base64", () => {
  const secret = (bytes: number) => `whsec_${Buffer.alloc(bytes, 7).toString("base64")}`;
  expect([24, 32, 64].map(secret).every(isWebhookSecret)).toBe(true);
  expect(
    [secret(23), secret(65), secret(32).slice(6), "whsec_", "whsec_!!!", `${secret(32)} `].some(
      isWebhookSecret,
    ),
  ).toBe(false);
});

test("rotating to the current secret changes nothing, and to an older one leaves no secret twice", () => {
  const secrets = rotate(rotate([{ secret: "a", until: null }], "b", 0), "c", 1);
  expect(rotate(secrets, "c", 2)).toEqual(secrets);
  expect(rotate(secrets, "a", 2).map(({ secret }) => secret)).toEqual(["a", "c", "b"]);
  expect(rotate(secrets, "a", 2).filter(({ until }) => until === null)).toHaveLength(1);
});

test("a rotated secret signs beside the new one for a day, however often it is rotated, and at most five do", () => {
  const names = (secrets: Secret[], now: number) => inForce(secrets, now).map((one) => one.secret);
  let secrets: Secret[] = [{ secret: "a", until: null }];
  secrets = rotate(secrets, "b", 0);
  expect(names(secrets, 24 * HOUR - 1)).toEqual(["b", "a"]);
  expect(names(secrets, 24 * HOUR)).toEqual(["b"]);
  secrets = rotate(secrets, "c", 10 * HOUR);
  expect(names(secrets, 23 * HOUR)).toEqual(["c", "b", "a"]);
  expect(names(secrets, 25 * HOUR)).toEqual(["c", "b"]);
  for (const next of ["d", "e", "f", "g"]) secrets = rotate(secrets, next, 11 * HOUR);
  expect(names(secrets, 11 * HOUR)).toEqual(["g", "f", "e", "d", "c"]);
  expect(rotate(secrets, "h", 40 * HOUR).map((one) => one.secret)).toEqual(["h", "g"]);
});

test("a body has type, time and data, and an event's own data cannot replace the ids", () => {
  const event = {
    id: "evt_1",
    seq: 7,
    type: "run.failed",
    created_at: 0,
    job_id: "job_1",
    run_id: "run_1",
    execution_id: null,
  };
  const body = JSON.parse(payloadOf({ ...event, data: JSON.stringify({ code: "x", job_id: "forged" }) }));
  expect(body).toEqual({
    type: "run.failed",
    timestamp: "1970-01-01T00:00:00.000Z",
    data: { code: "x", event_id: "evt_1", seq: 7, job_id: "job_1", run_id: "run_1" },
  });
});

describe("after an attempt", () => {
  const answered = (status: number | null, retryAfterMs: number | null = null) => ({
    status,
    error: null,
    retryAfterMs,
  });

  test.each([200, 202, 204, 299])("%i is delivered", (status) =>
    expect(afterAttempt(1, answered(status), 0.5)).toEqual({ state: "delivered" }),
  );
  test.each([100, 300, 301, 302, 307, 308, 400, 401, 404, 429, 500, 503, null])(
    "%s is tried again",
    (status) =>
      expect(afterAttempt(1, answered(status), 0.5)).toEqual({ state: "pending", retryInMs: 5_000 }),
  );
  test("410 is given up at once", () =>
    expect(afterAttempt(1, answered(410), 0.5)).toEqual({ state: "failed", reason: "gone" }));

  test.each([0, 0.5, 0.999])(
    "the attempts grow apart and cover about a day, whatever the luck (%d)",
    (random) => {
      const waits: number[] = [];
      for (let attempts = 1; ; attempts++) {
        const verdict = afterAttempt(attempts, answered(500), random);
        if (verdict.state !== "pending") break;
        waits.push(verdict.retryInMs);
      }
      expect(waits).toHaveLength(MAX_ATTEMPTS - 1);
      expect(waits).toEqual(waits.toSorted((a, b) => a - b));
      const total = waits.reduce((sum, wait) => sum + wait, 0);
      expect(total).toBeGreaterThan(20 * HOUR);
      expect(total).toBeLessThan(32 * HOUR);
      expect(afterAttempt(MAX_ATTEMPTS, answered(500), random)).toEqual({
        state: "failed",
        reason: "exhausted",
      });
    },
  );

  test("Retry-After is waited for if it is longer, up to seven hours", () => {
    expect(afterAttempt(1, answered(503, 60_000), 0.5)).toMatchObject({ retryInMs: 60_000 });
    expect(afterAttempt(1, answered(503, 1_000), 0.5)).toMatchObject({ retryInMs: 5_000 });
    expect(afterAttempt(1, answered(429, 999 * HOUR), 0.5)).toMatchObject({ retryInMs: 7 * HOUR });
  });
});
