// The door and the rest of the API: tokens, validation, account, and the emulator's own calls.
import { request } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startEmulator } from "../../src/emulator/server.ts";
import { type Json, openScene, type Scene, until } from "./scene.ts";

let scene: Scene;
let now = Date.now();
beforeAll(async () => {
  scene = await openScene({ apiKeys: ["lk_one"], tokenLifeMs: 60_000, now: () => now });
});
beforeEach(async () => {
  now = Date.now();
  await scene.emulator.reset();
});
afterAll(() => scene.close());

const get = (path: string) => scene.call("GET", path, undefined, "lk_one");
const post = (path: string, body?: unknown) => scene.call("POST", path, body, "lk_one");

describe("authentication", () => {
  it("the emulator accepts a configured key and no other", async () => {
    expect((await get("/user/status")).body.status).toBe("authenticated");
    for (const token of ["lk_two", "nonsense", "a.b.c", ""]) {
      const { status, body } = await scene.call("GET", "/user/status", undefined, token);
      expect(status).toBe(401);
      expect(body.detail).toEqual(expect.any(String));
    }
    expect((await fetch(`${scene.emulator.url}/user/status`)).status).toBe(401);
    expect((await fetch(`${scene.emulator.url}/health/ping`)).status).toBe(200);
  });

  it("an issued token is accepted until it expires, and a refresh works once", async () => {
    const login = await post("/auth/login", { email: "emulator@example.test", password: "emulator" });
    expect(login.body).toMatchObject({ expires_in: 60 });
    const { access_token, refresh_token } = login.body;
    const [, claims = ""] = access_token.split(".");
    const { exp } = JSON.parse(Buffer.from(claims, "base64url").toString());
    expect(exp * 1000).toBeCloseTo(now + 60_000, 0);
    const tried = (token: string) => scene.call("GET", "/user/status", undefined, token);
    expect((await tried(access_token)).status).toBe(200);
    now += 61_000;
    expect(await tried(access_token)).toMatchObject({ status: 401, body: { detail: "Token has expired" } });

    const refreshed = await post("/auth/refresh", { refresh_token });
    expect((await tried(refreshed.body.access_token)).status).toBe(200);
    expect((await post("/auth/refresh", { refresh_token })).status).toBe(401);
  });

  it("a login with a wrong password is refused", async () => {
    const answer = await post("/auth/login", { email: "emulator@example.test", password: "no" });
    expect(answer).toMatchObject({ status: 401, body: { detail: "Invalid credentials" } });
    expect((await post("/auth/login", {})).status).toBe(422);
  });

  it("the emulator listens on loopback only", async () => {
    await expect(startEmulator({ host: "0.0.0.0" as never })).rejects.toThrow("loopback only");
    expect(scene.emulator.url).toBe(`http://127.0.0.1:${scene.emulator.port}/api/v2/external`);
  });

  const withHeaders = (path: string, headers: Record<string, string>) =>
    new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
      const options = { port: scene.emulator.port, path, headers, method: "POST" };
      request({ host: "127.0.0.1", ...options }, async (response) =>
        resolve({ status: response.statusCode, body: await text(response) }),
      )
        .once("error", reject)
        .end("{}");
    });
  const start = "/api/v2/external/execution/streaming/start";

  it.each<Record<string, string>>([
    { host: "rebound.example" },
    { host: "localhost.rebound.example:8090" },
    { host: "127.0.0.1.rebound.example" },
    { host: "10.0.0.1" },
    { host: "localhost", origin: "http://rebound.example" },
    { host: "localhost", origin: "https://localhost.rebound.example:8090" },
    { host: "localhost", origin: "null" },
  ])("a web page from elsewhere is refused: %o", async (headers) => {
    for (const path of [start, "/__emulator/reset", "/nowhere"]) {
      const { status, body } = await withHeaders(path, { authorization: "Bearer lk_one", ...headers });
      expect(status).toBe(403);
      expect(JSON.parse(body)).toEqual({ detail: expect.stringContaining("is not this machine") });
    }
    expect(scene.emulator.calls()).toEqual([]);
  });

  it.each<Record<string, string>>([
    { host: "localhost" },
    { host: "LOCALHOST:1" },
    { host: "127.0.0.1:8090", origin: "http://localhost:3000" },
    { host: "[::1]:8090", origin: "https://[::1]" },
  ])("a caller on this machine is accepted: %o", async (headers) => {
    expect((await withHeaders("/__emulator/reset", headers)).status).toBe(200);
  });

  it("HTTP/1.0 requests without a Host header are answered", async () => {
    const socket = connect(scene.emulator.port, "127.0.0.1");
    socket.write("GET /api/v2/external/health/ping HTTP/1.0\r\n\r\n");
    expect(await text(socket)).toContain(" 200 OK");
  });

  it("the emulator takes only API keys that look like Lyceum's", async () => {
    await expect(startEmulator({ apiKeys: ["sk_1"] })).rejects.toThrow("lk_");
  });
});

describe("a bad start request is 422 like FastAPI's", () => {
  const code = "print(1)";
  const bad: [string, unknown, object][] = [
    ["without code", {}, { loc: ["body", "code"], msg: "Field required", type: "missing" }],
    [
      "with too long a timeout",
      { code, timeout: 601 },
      { loc: ["body", "timeout"], msg: "Input should be less than or equal to 600", type: "less_than_equal" },
    ],
    [
      "with too short a timeout",
      { code, timeout: 0 },
      {
        loc: ["body", "timeout"],
        msg: "Input should be greater than or equal to 1",
        type: "greater_than_equal",
      },
    ],
    ["with half a second", { code, timeout: 1.5 }, { type: "int_type" }],
    [
      "with strange hardware",
      { code, execution_type: "gpu a100" },
      {
        loc: ["body", "execution_type"],
        msg: "String should match pattern '^[a-zA-Z0-9_.]+$'",
        type: "string_pattern_mismatch",
      },
    ],
    ["with a number as code", { code: 1 }, { msg: "Input should be a valid string", type: "string_type" }],
    [
      "with a number as URL",
      { code, user_callback_urls: ["http://x", 1] },
      { loc: ["body", "user_callback_urls", 1], type: "string_type" },
    ],
    ["that is a list", [], { loc: ["body"], type: "model_attributes_type" }],
    ["that is not JSON", "{", { loc: ["body", 0], type: "json_invalid" }],
  ];
  it.each(bad)("a start request %s is answered 422 as FastAPI does", async (_, body, detail) => {
    const answer = await post("/execution/streaming/start", body);
    expect(answer.status).toBe(422);
    expect(answer.body.detail).toHaveLength(1);
    expect(answer.body.detail[0]).toMatchObject(detail);
    expect(scene.emulator.executions()).toEqual([]);
  });

  it("a bad start request of every kind is answered 422", async () => {
    expect((await post("/execution/image/start", {})).body.detail[0].loc).toEqual([
      "body",
      "docker_image_ref",
    ]);
    expect((await post("/execution/compose/start", {})).body.detail[0].loc).toEqual([
      "body",
      "compose_file_code",
    ]);
    expect((await post("/execution/gpu_selection/start", {})).body.detail[0].loc).toEqual(["body", "code"]);
  });

  it("bad queries of logs are answered 422, too", async () => {
    const { body } = await post("/execution/gpu_selection/start", { code });
    const log = `/logs/execution/${body.execution_id}`;
    expect((await get(`${log}?limit=10001`)).body.detail[0].loc).toEqual(["query", "limit"]);
    expect((await get(`${log}?hours=169`)).body.detail[0].type).toBe("less_than_equal");
    expect((await get(`${log}?limit=x`)).status).toBe(422);
    expect((await get(`${log}?limit=10000&hours=168`)).status).toBe(200);
  });
});

describe("the account", () => {
  it("the account has hardware with prices", async () => {
    const { body } = await get("/machine-types");
    expect(body.machine_types).toContainEqual({ hardware_profile: "gpu.a100", price_per_hour: 1.8 });
    const { body: quotas } = await get("/user/quotas/available-hardware");
    expect(quotas.available_hardware_profiles).toContain("gpu.a100");
    const { body: pricing } = await get("/pricing");
    expect(pricing.prices).toContainEqual(
      expect.objectContaining({ unit_price: "0.00050000", unit_price_per_hour: "1.80000000" }),
    );
  });

  it("the account is billed for the time that a run took, and shows the cost in credits and history", async () => {
    const start = await post("/execution/compose/start", {
      compose_file_code: "# emulator: delay=200ms",
      execution_type: "gpu.h100",
    });
    await until(() => scene.emulator.executions()[0]?.status === "running");
    now += 3_600_000;
    await until(() => scene.emulator.executions()[0]?.isTerminal === true);
    const { body: history } = await get("/billing/history");
    expect(history.executions[0]).toMatchObject({ execution_id: start.body.execution_id, billed: 2.9 });
    expect(history).toMatchObject({ total_credits_spent: 2.9, counts_by_status: { completed: 1 } });
    const { body: credits } = await get("/billing/credits");
    expect(credits).toMatchObject({ available_credits: 50, used_credits: 2.9, remaining_credits: 47.1 });
  });

  it("the account's history has pages, newest first", async () => {
    for (let i = 0; i < 5; i++)
      await post("/execution/compose/start", { compose_file_code: "", file_name: `f${i}` });
    const { body } = await get("/billing/history?limit=2&offset=1");
    expect(body).toMatchObject({ total_executions: 5, limit: 2, offset: 1 });
    expect(body.executions.map((row: { file_name: string }) => row.file_name)).toEqual(["f3", "f2"]);
    expect((await get("/billing/history?limit=0")).status).toBe(422);
  });
});

describe("the emulator's own calls", () => {
  it("the emulator's own calls explain the switches and the syntax of a directive", async () => {
    const answer = await fetch(scene.emulator.controlUrl);
    const { switches, directives, current } = (await answer.json()) as Json;
    expect(Object.keys(switches).sort()).toEqual(Object.keys(current).sort());
    for (const [name, { description }] of Object.entries<Json>(switches))
      expect([name, description]).toEqual([name, expect.stringMatching(/\w+/)]);
    expect(directives[0]).toContain("# emulator:");
  });

  it("the emulator's own calls show executions with their bodies and calls, and set and reset the switches", async () => {
    const control = (path: string, body?: unknown) =>
      fetch(
        scene.emulator.controlUrl + path,
        body === undefined ? {} : { method: "POST", body: JSON.stringify(body) },
      );
    const changed = await control("/chaos", { words: "capitals", callback: { lost: 0.5 }, delay: "2s" });
    expect(await changed.json()).toMatchObject({ words: "capitals", callback: { lost: 0.5 }, delay: 2000 });
    const refused = await control("/chaos", { colour: "red" });
    expect(refused.status).toBe(422);
    expect(JSON.stringify(await refused.json())).toContain("colour");

    const body = { compose_file_code: "secret: 1", file_name: "exe_9", extra: [1] };
    await scene.call("POST", "/execution/compose/start", body, "lk_one");
    const state = (await (await control("/state")).json()) as Json;
    expect(state.executions).toMatchObject([{ fileName: "exe_9", body, callbacks: [] }]);
    expect(state.call_counts).toEqual({ "POST /execution/compose/start": 1 });
    await control("/reset", {});
    expect(await (await control("/state")).json()).toMatchObject({
      executions: [],
      switches: { words: "plain" },
    });
  });
});

describe("a caller that goes away", () => {
  it("a caller that disconnects in its request starts nothing", async () => {
    const socket = connect(scene.emulator.port, "127.0.0.1");
    const head =
      "POST /api/v2/external/execution/compose/start HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n";
    socket.write(`${head}Authorization: Bearer lk_one\r\n\r\n{"compose_`, () => socket.destroy());
    await until(() => scene.emulator.calls().length === 1);
    expect(scene.emulator.calls()).toMatchObject([{ status: 0 }]);
    expect(scene.emulator.executions()).toEqual([]);
  });
});

describe("the memory of the emulator", () => {
  it("the emulator forgets the oldest ended executions", async () => {
    const small = await openScene({ endedKept: 3 });
    for (let i = 0; i < 6; i++) await small.image({ file_name: `f${i}` });
    await until(() => small.emulator.executions().every(({ isTerminal }) => isTerminal));
    expect(small.emulator.executions().map(({ fileName }) => fileName)).toEqual(["f3", "f4", "f5"]);
    await small.close();
  });
});
