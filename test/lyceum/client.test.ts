import nock from "nock";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemTimers, type Timers } from "../../src/lib/clock.ts";
import { NotSentError } from "../../src/lib/network-error.ts";
import { createLyceumClient, type LyceumOptions } from "../../src/lyceum/client.ts";
import { createRateLimiter } from "../../src/lyceum/rate-limiter.ts";
import { startRequest } from "../../src/lyceum/request.ts";
import type { RequestLine } from "../../src/lyceum/send.ts";
import { createFakeTime } from "./fake-time.ts";

const origin = "https://lyceum.example.test";
const base = "/api/v2/external";
const apiKey = "lk_0123456789abcdef";
const callbackUrl = "https://proctor.example.test/callbacks/lyceum/exe_1/t0ken-0f-callback";

function setUp(options: Partial<LyceumOptions> = {}) {
  const clock = createFakeTime();
  const rateLimiter = createRateLimiter({ clock, random: () => 0 });
  const lines: RequestLine[] = [];
  const client = createLyceumClient({
    baseUrl: `${origin}${base}/`,
    orgSlug: null,
    credentials: { apiKey },
    rateLimiter,
    clock,
    log: (line) => lines.push(line),
    ...options,
  });
  return { client, rateLimiter, clock, lines };
}

const request = startRequest(
  {
    kind: "image",
    docker_image_ref: "python:3.13",
    docker_run_cmd: ["true"],
    env: { TOKEN: "very-secret-value" },
    docker_password: "registry-password",
    execution_type: "cpu",
    enable_s3_mount: false,
    timeout: 60,
  },
  { executionId: "exe_01k4abcdefghjkmnpqrstvwxyz", callbackUrl },
);
const starting = () => nock(origin).post(`${base}/execution/image/start`);
const reading = (path = "/execution/5d0b") => nock(origin).get(`${base}${path}`);
const record = { execution_id: "5d0b", status: "completed" };
const failure = (code: string) => Object.assign(new Error(`${code} ${apiKey}`), { code });

beforeEach(() => nock.disableNetConnect());
afterEach(() => {
  expect(nock.pendingMocks()).toEqual([]);
  nock.cleanAll();
  nock.enableNetConnect();
});

describe("a request", () => {
  test("a request carries the token, trimmed, the organisation and JSON", async () => {
    nock(origin, {
      reqheaders: {
        authorization: `Bearer ${apiKey}`,
        "x-org-slug": "team-a",
        "content-type": "application/json",
        accept: "application/json",
      },
    })
      .post(`${base}/execution/image/start`, (body) => {
        expect(body).toEqual(request.body);
        return true;
      })
      .reply(200, { execution_id: "5d0b", status: "pending", streaming_url: "x" });
    const { client } = setUp({ credentials: { apiKey: ` ${apiKey}\n` }, orgSlug: "team-a" });
    expect(await client.start(request)).toEqual({
      type: "accepted",
      lyceumExecutionId: "5d0b",
      word: "pending",
    });
  });

  test("a request names no organisation when none is set, and has no body where none is due", async () => {
    nock(origin, { badheaders: ["x-org-slug", "content-type"] })
      .post(`${base}/workloads/abort/5d0b`, "")
      .reply(200, { message: "Execution aborted" });
    expect(await setUp().client.abort("5d0b")).toEqual({
      type: "ok",
      value: { word: null, message: "Execution aborted" },
    });
  });

  test("a request encodes an id in its path", async () => {
    nock(origin)
      .get(`${base}/execution/a%23b%3Fc%20%24%26`)
      .reply(200, { ...record, execution_id: "a#b?c $&" });
    expect(await setUp().client.record("a#b?c $&", null, "confirm")).toMatchObject({ type: "ok" });
  });

  test.each(["", " ", ".", ".."])("is a bug with %j for an id", async (id) => {
    await expect(setUp().client.deleteRecord(id)).rejects.toThrow("Not an id");
  });

  test.each(["", " ", "two words", "line\nbreak"])("cannot be made with the API key %j", (bad) => {
    expect(() => setUp({ credentials: { apiKey: bad } })).toThrow(
      /^The Lyceum API key is empty or has blanks inside$/,
    );
  });

  test("a request cannot be made for an organisation that cannot stand in a header", () => {
    expect(() => setUp({ orgSlug: "two words" })).toThrow("organisation");
  });

  test("a request is told to the log without id, query or secret", async () => {
    reading("/logs/execution/5d0b?limit=10000&hours=1").reply(200, { logs: [], total: 0 });
    starting().replyWithError(failure("ECONNRESET"));
    const { client, lines } = setUp();
    await client.logs("5d0b", { limit: 99_999, hours: 0 });
    await client.start(request);
    expect(lines).toEqual([
      { method: "GET", route: "/logs/execution/{id}", status: 200, durationMs: 0, problem: null },
      { method: "POST", route: "/execution/image/start", status: null, durationMs: 0, problem: "ECONNRESET" },
    ]);
  });
});

describe("a start", () => {
  test.each([200, 201, 202])("a start is accepted with %i", async (status) => {
    starting().reply(status, { execution_id: "5d0b", status: "running" });
    expect(await setUp().client.start(request)).toEqual({
      type: "accepted",
      lyceumExecutionId: "5d0b",
      word: "running",
    });
  });

  test.each([
    ["no body", 204, ""],
    ["HTML", 200, "<html>ok</html>"],
    ["no id", 200, { status: "pending" }],
    ["broken JSON", 200, '{"execution_id": "5d'],
    ["500", 500, { detail: "no capacity right now" }],
    ["502 in HTML", 502, "<html><h1>Bad Gateway</h1></html>"],
    ["504 in HTML", 504, "<html><h1>Gateway Timeout</h1></html>"],
    ["408", 408, ""],
    ["an error inside a success", 200, { detail: "boom" }],
    ["an id beyond 2^53", 200, '{"execution_id": 12345678901234567890, "status": "pending"}'],
    ["an id that climbs", 200, { execution_id: "..", status: "pending" }],
    ["an id with a slash", 200, { execution_id: "a/b", status: "pending" }],
    ["an id with a backslash", 200, { execution_id: "a\\b", status: "pending" }],
    ["an id with half a character", 200, '{"execution_id": "a\\ud800", "status": "pending"}'],
    ["an id with a NUL", 200, '{"execution_id": "a\\u0000", "status": "pending"}'],
    ["an id that is endless", 200, { execution_id: "a".repeat(201), status: "pending" }],
  ])("a start is unknown after %s", async (_, status, body) => {
    starting().reply(status, body);
    expect(await setUp().client.start(request)).toMatchObject({ type: "unknown" });
  });

  test.each([400, 403, 404, 405, 409, 413, 422])(
    "a start is refused with %i in Lyceum's form",
    async (status) => {
      starting().reply(status, { detail: "no" });
      expect(await setUp().client.start(request)).toMatchObject({ type: "refused", status });
    },
  );

  test.each<[string, number, nock.Body]>([
    ["a page", 403, "<html>Access denied</html>"],
    ["a page", 413, "<html>Request Entity Too Large</html>"],
    ["a text", 404, "default backend - 404"],
    ["nothing", 405, ""],
    ["JSON without a detail", 404, { message: "no Route matched with those values" }],
    ["a framework's JSON", 404, { timestamp: 1, status: 404, error: "Not Found", message: "", path: "/x" }],
    ["a problem document", 403, { type: "about:blank", title: "Forbidden", status: 403, detail: "no" }],
    ["an empty detail", 400, { detail: "" }],
    ["a list", 400, []],
    ...[301, 302, 303, 307, 308].map((status): [string, number, nock.Body] => [
      "JSON",
      status,
      { detail: "x" },
    ]),
  ])("a start is answered by somebody else, and not taken, with %s and %i", async (_, status, body) => {
    starting().reply(status, body, { location: `${origin}/elsewhere` });
    expect(await setUp().client.start(request)).toMatchObject({ type: "unreachable" });
  });

  test.each<[string, nock.Body, Record<string, string>, number | null]>([
    ["in JSON", { detail: "temporarily down" }, {}, null],
    ["in HTML with a time", "<html>maintenance</html>", { "retry-after": "30" }, 30_000],
    ["without a body", "", {}, null],
  ])("a start is unavailable with a 503 %s", async (_, body, headers, retryAfterMs) => {
    starting().reply(503, body, headers);
    expect(await setUp().client.start(request)).toMatchObject({ type: "unavailable", retryAfterMs });
  });

  test.each<[number, nock.Body]>([
    [402, { detail: "no" }],
    [402, ""],
    [403, { detail: "Insufficient credits to start this execution" }],
    [400, { detail: "Not enough credits: 0.2 left, 3.1 needed" }],
    [403, { detail: "Your credit balance is too low." }],
    [403, { detail: "Monthly quota exceeded" }],
    [400, { detail: "You have used up all: out of credits" }],
    [403, { detail: { code: "insufficient_credits", message: "Top up to continue" } }],
    [403, { detail: "You exceeded your current quota" }],
  ])("a start is unfunded with %i and %j", async (status, body) => {
    starting().reply(status, body);
    expect(await setUp().client.start(request)).toMatchObject({ type: "unfunded" });
  });

  test.each<[number, nock.Body]>([
    [422, { detail: [{ loc: ["body", "credits"], msg: "Extra inputs: insufficient credits" }] }],
    [400, { detail: "Unknown hardware profile; see your quota page" }],
    [400, { detail: "The image registry account exceeded its pull rate" }],
    [403, { detail: "Credits are not shared between organisations" }],
  ])("a start is this run's own refusal with %i and %j", async (status, body) => {
    starting().reply(status, body);
    expect(await setUp().client.start(request)).toMatchObject({ type: "refused", status });
  });

  const failing = (error: Error) => async () => Promise.reject(error);

  test("a start is unreachable if nothing was sent, and gives its place back", async () => {
    const { client, rateLimiter } = setUp({ fetch: failing(new NotSentError(failure("ECONNREFUSED"))) });
    rateLimiter.reserve("execution");
    expect(await client.start(request)).toEqual({
      type: "unreachable",
      detail: "POST /execution/image/start: ECONNREFUSED",
      isSent: false,
    });
    expect(rateLimiter.state().buckets.execution.used).toBe(0);
  });

  test("a start is stale, gives its place back and sends nothing when it may not leave", async () => {
    let sent = 0;
    const { client, rateLimiter } = setUp({
      async fetch(_url, { mayLeave }) {
        if (!mayLeave()) throw new NotSentError(null);
        throw new Error(String(++sent));
      },
    });
    rateLimiter.reserve("execution");
    expect(await client.start(request, () => false)).toMatchObject({ type: "stale" });
    expect(rateLimiter.state().buckets.execution.used).toBe(0);
    expect(sent).toBe(0);
  });

  test.each(["ECONNRESET", "ETIMEDOUT", "UND_ERR_SOCKET", "SOMETHING_NEW"])(
    "is unknown after %s, whenever that was, and keeps its place",
    async (code) => {
      const cause = failure(code);
      const { client, rateLimiter } = setUp({ fetch: failing(new TypeError("fetch failed", { cause })) });
      rateLimiter.reserve("execution");
      expect(await client.start(request)).toEqual({
        type: "unknown",
        detail: `POST /execution/image/start: ${code}`,
      });
      expect(rateLimiter.state().buckets.execution.used).toBe(1);
    },
  );

  test("a start is throttled by a 429, without a second request", async () => {
    starting().reply(429, { detail: "slow down" }, { "retry-after": "7" });
    const { client, rateLimiter } = setUp();
    rateLimiter.reserve("execution");
    rateLimiter.reserve("execution");
    expect(await client.start(request)).toEqual({ type: "throttled", retryAfterMs: 7_000 });
    expect(await client.start(request)).toEqual({ type: "throttled", retryAfterMs: 7_000, isSent: false });
  });

  test("a start feeds the rate limiter with the rate-limit headers of its answer", async () => {
    const headers = { "x-ratelimit-limit": "100", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "30" };
    starting().reply(200, { execution_id: "5d0b" }, headers);
    const { client, rateLimiter } = setUp();
    rateLimiter.reserve("execution");
    await client.start(request);
    expect(rateLimiter.reserve("execution")).toEqual({ granted: false, waitMs: 30_000 });
  });

  test("a start is unauthorized with a key that Lyceum refuses, without a second request", async () => {
    starting().reply(401, { detail: "Token verification timeout" });
    expect(await setUp().client.start(request)).toEqual({
      type: "unauthorized",
      detail: "POST /execution/image/start: Lyceum refused the API key",
    });
  });
});

describe("a refusal's detail", () => {
  const elsewhere = "(not an answer of Lyceum)";

  async function detailOf(body: nock.Body, status = 422) {
    starting().reply(status, body);
    const outcome = await setUp().client.start(request);
    return "detail" in outcome ? outcome.detail.replace("POST /execution/image/start: ", "") : outcome.type;
  }

  test.each<[string, nock.Body, string]>([
    [
      "FastAPI's list",
      {
        detail: [
          {
            loc: ["body", "timeout"],
            msg: "Input should be less than or equal to 600",
            type: "x",
            input: "secret",
          },
          { loc: ["body", "docker_run_cmd", 0], msg: "Field required", ctx: { error: "secret" } },
        ],
      },
      "422: body.timeout: Input should be less than or equal to 600; body.docker_run_cmd.0: Field required",
    ],
    ["a text", { detail: "Unknown profile" }, "422: Unknown profile"],
    ["an object", { detail: { message: "Unknown profile", request: "secret" } }, "422: Unknown profile"],
    [
      "the oldest envelope",
      { detail: "Invalid", status: 422, type: "x", errors: [{ field: "code", message: "required" }] },
      "422: Invalid; code: required",
    ],
    ["an envelope's message", { status: "error", data: null, message: "no" }, "422: no"],
    ["a JSON text", '"no"', `422: no ${elsewhere}`],
    ["HTML", "<html><body>secret</body></html>", `422: HTML instead of JSON ${elsewhere}`],
    ["plain text", "secret", `422: an answer that is not JSON ${elsewhere}`],
    ["nothing", "", `422 ${elsewhere}`],
    ["an unknown object", { secret: "secret" }, `422 ${elsewhere}`],
  ])("a refusal's detail is made of %s", async (_, body, detail) => {
    expect(await detailOf(body)).toBe(detail);
  });

  test("a refusal's detail is clipped", async () => {
    const detail = await detailOf({ detail: "long ".repeat(100_000) }, 400);
    expect(detail.length).toBeLessThan(450);
  });

  test("a refusal's detail holds no secret, wherever Lyceum quotes one", async () => {
    const secrets = [
      apiKey,
      "lk_ofsomebodyelse",
      callbackUrl,
      "t0ken-0f-callback",
      "very-secret-value",
      "registry-password",
      "eyJhbGciOi.eyJzdWIi.c2ln",
    ];
    const detail = await detailOf({
      detail: `no: ${secrets.join(" , ")} Bearer abc ${JSON.stringify(request.body)}`,
    });
    for (const secret of ["secret", "t0ken", "registry", apiKey, "lk_", "eyJ", "abc "]) {
      expect(detail.replaceAll("[hidden]", "")).not.toContain(secret);
    }
  });
});

describe("a read", () => {
  const marker = "exe_01k4abcdefghjkmnpqrstvwxyz";

  test("a read takes a record that bears our marker, or none", async () => {
    for (const file_name of [marker, `${marker}-train`, "train.py", null]) {
      reading().reply(200, { ...record, file_name });
      expect(await setUp().client.record("5d0b", marker, "confirm")).toMatchObject({ type: "ok" });
    }
  });

  test("a read is not deceived by an answer about another execution", async () => {
    reading("/execution/streaming/5d0b/status").reply(200, { execution_id: "other", status: "completed" });
    expect(await setUp().client.streamingStatus("5d0b", "confirm")).toMatchObject({ type: "unreadable" });
    reading("/execution/gpu_selection/5d0b/status").reply(200, { parent: { execution_id: "other" } });
    const foreign = { type: "unreadable", isForeign: true };
    expect(await setUp().client.gpuSelectionStatus("5d0b", "confirm")).toMatchObject(foreign);
    reading("/execution/5d0b/timing").reply(200, { execution_id: "other", timing: { total: 1 } });
    expect(await setUp().client.timing("5d0b")).toMatchObject(foreign);
    reading("/execution/5d0b/metrics?step=15s").reply(200, { executionId: "other", gpuPowerWatt: [] });
    expect(await setUp().client.metrics("5d0b", { step: "15s" })).toMatchObject(foreign);
    reading("/logs/execution/5d0b?limit=10&hours=1").reply(200, [{ message: "x", execution_id: "other" }]);
    expect(await setUp().client.logs("5d0b", { limit: 10, hours: 1 })).toMatchObject(foreign);
  });

  test("quotes an error that stands in the place of what is due", async () => {
    reading("/logs/execution/5d0b?limit=10&hours=1").reply(200, { detail: "Loki is late" });
    expect(await setUp().client.logs("5d0b", { limit: 10, hours: 1 })).toMatchObject({
      type: "unreadable",
      detail: "GET /logs/execution/{id}: 200: Loki is late",
    });
  });

  test("a read opens the oldest envelope around every answer", async () => {
    const { client } = setUp();
    const wrapped = (data: unknown) => ({ status: "success", data, message: "ok" });
    reading().reply(200, wrapped(record));
    expect(await client.record("5d0b", marker, "confirm")).toMatchObject({ value: { word: "completed" } });
    reading("/workloads/list").reply(200, wrapped([record]));
    expect(await client.workloads("routine")).toMatchObject({ value: [{ executionId: "5d0b" }] });
    reading("/execution/5d0b/timing").reply(200, wrapped({ timing: { total: 6.1 } }));
    expect(await client.timing("5d0b")).toMatchObject({ value: { durations: { total: 6.1 } } });
    reading("/execution/streaming/5d0b/status").reply(200, wrapped({ status: "success" }));
    expect(await client.streamingStatus("5d0b", "confirm")).toMatchObject({ value: { word: "success" } });
  });

  test.each([404, 410])("a read is missing with %i", async (status) => {
    reading().reply(status, { detail: "Execution not found" });
    expect(await setUp().client.record("5d0b", null, "confirm")).toEqual({
      type: "missing",
      detail: `GET /execution/{id}: ${status}: Execution not found`,
    });
  });

  test.each([400, 403, 422])("a read is refused with %i", async (status) => {
    reading().reply(status, { detail: "no" });
    expect(await setUp().client.record("5d0b", null, "confirm")).toMatchObject({
      type: "refused",
      status,
    });
  });

  test.each<[string, number, nock.Body]>([
    ["500", 500, { detail: "boom" }],
    ["503", 503, ""],
    ["408", 408, ""],
    ["a redirect", 302, { detail: "elsewhere" }],
    ["HTML", 200, "<html></html>"],
    ["a text", 200, "default backend - 404"],
    ["nothing", 204, ""],
    ["a JSON text", 200, '"ok"'],
    ["JSON that is cut", 200, '{"execution_id": "5d0b", "sta'],
    ["a page for a 404", 404, "<html>404</html>"],
    ["nothing for a 404", 404, ""],
    ["a gateway's JSON for a 404", 404, { message: "no Route matched with those values" }],
    ["a page for a 403", 403, "<html>Access denied</html>"],
    ["a page for a 410", 410, "Gone"],
    ["a record without a status", 200, { execution_id: "5d0b" }],
    ["an error inside a success", 200, { detail: "boom" }],
    ["an envelope of nothing", 200, { status: "success", data: null }],
    ["an empty list", 200, []],
    ["an empty object", 200, {}],
    ["a list", 200, [record]],
    ["another one's record", 200, { ...record, execution_id: "other" }],
    ["a record of another marker", 200, { ...record, file_name: "exe_01k4abcdefghjkmnpqrstvwxy0-x" }],
    ["a record whose id cannot be one", 200, { ...record, execution_id: ".." }],
  ])("a read says nothing about the run after %s", async (_, status, body) => {
    reading().reply(status, body);
    const isJson = status === 200 && typeof body === "object";
    const outcome = isJson ? "unreadable" : "unreachable";
    expect(await setUp().client.record("5d0b", marker, "confirm")).toMatchObject({ type: outcome });
  });

  test.each(["ECONNREFUSED", "ECONNRESET"])("says nothing about the run after %s", async (code) => {
    reading().replyWithError(failure(code));
    expect(await setUp().client.record("5d0b", null, "confirm")).toEqual({
      type: "unreachable",
      detail: `GET /execution/{id}: ${code}`,
    });
  });

  test("a read says nothing about the run when its answer is too large", async () => {
    reading("/workloads/list").reply(200, `["${"x".repeat(33 * 1024 * 1024)}"]`);
    expect(await setUp().client.workloads("routine")).toEqual({
      type: "unreadable",
      detail: "GET /workloads/list: 200: answer larger than 33554432 bytes",
      isTooLarge: true,
    });
  });

  test("a read is unauthorized, or throttled, as the answer says", async () => {
    reading().reply(401, { detail: "no" });
    expect(await setUp().client.record("5d0b", null, "confirm")).toMatchObject({ type: "unauthorized" });
    reading().reply(429);
    expect(await setUp().client.record("5d0b", null, "confirm")).toEqual({
      type: "throttled",
      retryAfterMs: 1_000,
    });
  });

  test("a read is held back, without a request, while Lyceum gives no answers", async () => {
    reading().times(5).replyWithError(failure("ECONNREFUSED"));
    const { client } = setUp();
    for (let i = 0; i < 5; i += 1) await client.record("5d0b", null, "routine");
    expect(await client.record("5d0b", null, "routine")).toEqual({
      type: "unreachable",
      detail: "GET /execution/{id}: no answers lately; next try in 500 ms",
    });
  });

  test("a read leaves no timer behind", async () => {
    let open = 0;
    const timers: Timers = {
      after(ms, fn) {
        open += 1;
        const cancel = systemTimers.after(ms, fn);
        return () => {
          open -= 1;
          cancel();
        };
      },
    };
    reading().reply(200, record);
    reading().replyWithError(failure("ECONNRESET"));
    const { client } = setUp({ timers });
    await client.record("5d0b", null, "confirm");
    await client.record("5d0b", null, "confirm");
    expect(open).toBe(0);
  });
});

describe("every endpoint", () => {
  test("every endpoint is called where the documentation says, and read", async () => {
    const { client } = setUp();
    reading("/execution/streaming/5d0b/status").reply(200, { status: "Running", errors: null });
    expect(await client.streamingStatus("5d0b", "overdue")).toMatchObject({ value: { word: "Running" } });
    reading("/execution/gpu_selection/5d0b/status").reply(200, { status: "running" });
    expect(await client.gpuSelectionStatus("5d0b", "overdue")).toMatchObject({ value: { subJobs: [] } });
    reading("/execution/5d0b/timing").reply(200, { timing: { total: 6.1 } });
    expect(await client.timing("5d0b")).toMatchObject({ value: { durations: { total: 6.1 } } });
    reading("/execution/5d0b/metrics?step=5s").reply(200, { hostname: "n", gpuPowerWatt: [] });
    expect(await client.metrics("5d0b", { step: "5s" })).toMatchObject({
      value: { series: { gpuPowerWatt: [] } },
    });
    reading("/logs/execution/5d0b?limit=10&hours=168").reply(200, { logs: [{ message: "45" }], total: 1 });
    expect(await client.logs("5d0b", { limit: 10, hours: 500 })).toMatchObject({ value: { total: 1 } });
    reading("/workloads/list").reply(200, [{ execution_id: "a", status: "running" }]);
    expect(await client.workloads("routine")).toMatchObject({ value: [{ executionId: "a" }] });
    reading("/billing/history?limit=50&offset=100").reply(200, { executions: [], total_executions: 100 });
    expect(await client.history({ limit: 50, offset: 100 })).toMatchObject({
      value: { rows: [], total: 100 },
    });
    reading("/machine-types").reply(200, {
      machine_types: [{ hardware_profile: "cpu", price_per_hour: 0.1 }],
    });
    expect(await client.machineTypes()).toMatchObject({ value: [{ hardwareProfile: "cpu" }] });
    reading("/user/quotas/available-hardware").reply(200, { available_hardware_profiles: ["cpu"] });
    expect(await client.availableHardware()).toMatchObject({ value: ["cpu"] });
  });

  test("every endpoint that ends something takes any success, with or without a body", async () => {
    const { client } = setUp();
    nock(origin).post(`${base}/workloads/stop/5d0b`).reply(202, { status: "cancelled" });
    expect(await client.stop("5d0b")).toMatchObject({ type: "ok", value: { word: "cancelled" } });
    nock(origin).delete(`${base}/execution/5d0b`).reply(204);
    expect(await client.deleteRecord("5d0b")).toMatchObject({ type: "ok" });
    nock(origin).post(`${base}/workloads/abort/5d0b`).reply(404, { detail: "already ended" });
    expect(await client.abort("5d0b")).toMatchObject({ type: "missing" });
    nock(origin).post(`${base}/workloads/abort/5d0b`).reply(200, "<html>");
    expect(await client.abort("5d0b")).toMatchObject({ type: "unreachable" });
    nock(origin).post(`${base}/workloads/abort/5d0b`).reply(200, { detail: "could not be aborted" });
    expect(await client.abort("5d0b")).toMatchObject({ type: "unreadable" });
  });

  test("every endpoint of billing counts as billing, the others as reads", async () => {
    reading("/billing/history?limit=1&offset=0").reply(200, []);
    const { client, rateLimiter } = setUp();
    await client.history({ limit: 1, offset: 0 });
    const { billing, execution } = rateLimiter.state().buckets;
    expect([billing.used, execution.used]).toEqual([1, 0]);
  });
});
