// The switch `gateway`: somebody else answers in Lyceum's place, or changes its answers on their way.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openScene, type Scene, until } from "./scene.ts";

let scene: Scene;
let aheadMs = 0;
beforeAll(async () => {
  scene = await openScene({ now: () => Date.now() + aheadMs });
});
beforeEach(async () => {
  aheadMs = 0;
  await scene.emulator.reset();
});
afterAll(() => scene.close());

type Rule = NonNullable<Parameters<Scene["emulator"]["setChaos"]>[0]["gateway"]>[number];
const set = (...gateway: Rule[]) => scene.emulator.setChaos({ gateway });
const long = "EMULATOR=delay=1h";
const image = { docker_image_ref: "busybox", docker_run_cmd: ["true"] };
const start = () => scene.raw("POST", "/execution/image/start", image);
const liveId = async () => (await scene.image({ docker_run_env: long })).body.execution_id as string;
const taken = () => scene.emulator.executions().length;

describe("in Lyceum's place", () => {
  const forms: [NonNullable<Rule["answer"]>, number, string][] = [
    ["403", 403, "<html>"],
    ["404", 404, "<html>"],
    ["405", 405, "<html>"],
    ["413", 413, "<html>"],
    ["500", 500, "<html>"],
    ["502", 502, "<html>"],
    ["503", 503, "<html>"],
    ["504", 504, "<html>"],
    ["backend", 404, "default backend - 404"],
    ["page", 200, "<html>"],
    ["empty", 200, ""],
    ["stranger", 200, '{"ok":true}'],
    ["unavailable", 503, '"detail":'],
    ["credits", 402, '"detail":"Insufficient credits"'],
    ["detail", 200, '"detail":'],
    ["error", 200, '"error":'],
    [{ status: 422, body: '{"detail":"a\\u0000b"}' }, 422, '{"detail":"a\\u0000b"}'],
    [{ type: "text/plain", body: "ok" }, 200, "ok"],
    [{ status: 204, body: "" }, 204, ""],
  ];
  it.each(forms)("a start that a gateway answers %j is not accepted", async (answer, status, text) => {
    set({ routes: "starts", answer, when: { next: 1 } });
    const seen = await start();
    expect(seen).toMatchObject({ status, text: expect.stringContaining(text) });
    if (text === "") expect(seen.text).toBe("");
    expect(taken()).toBe(0);
    expect((await start()).status).toBe(200);
  });

  it.each(forms)(
    "a start that a gateway answers %j is accepted if the switch says so",
    async (answer, status) => {
      set({ routes: "starts", answer, deed: "done" });
      expect((await start()).status).toBe(status);
      expect(taken()).toBe(1);
    },
  );

  it("a redirect leads to a login page", async () => {
    set({ routes: "all", answer: "login" });
    const { status, headers } = await start();
    expect([status, headers.get("location")]).toEqual([302, "https://login.example.test/"]);
  });

  it("the answer has the headers that the rule names", async () => {
    set({ routes: "starts", answer: "unavailable", headers: { "retry-after": "30" } });
    expect((await start()).headers.get("retry-after")).toBe("30");
  });

  it.each(["undone", "done"] as const)("a connection is reset with the start %s", async (deed) => {
    set({ routes: "starts", answer: "reset", deed });
    await expect(start()).rejects.toThrow("fetch failed");
    expect(taken()).toBe(deed === "done" ? 1 : 0);
  });

  it.each(["undone", "done"] as const)("a call with the start %s is never answered", async (deed) => {
    set({ routes: "starts", answer: "silence", deed });
    const caller = new AbortController();
    const answer = fetch(`${scene.emulator.url}/execution/image/start`, {
      method: "POST",
      headers: { authorization: "Bearer lk_emulator" },
      body: JSON.stringify(image),
      signal: caller.signal,
    });
    const isOpen = await Promise.race([
      answer.then(() => false),
      new Promise((resolve) => setTimeout(resolve, 100, true)),
    ]);
    expect(isOpen).toBe(true);
    caller.abort();
    await expect(answer).rejects.toThrow("aborted");
    expect(taken()).toBe(deed === "done" ? 1 : 0);
    await until(() => scene.emulator.calls().length === 1);
    expect(scene.emulator.calls()[0]).toMatchObject({ status: 0, route: "/execution/image/start" });
  });
});

describe("a rule holds", () => {
  it("a rule holds for its groups of routes, and for all under `all`", async () => {
    const id = await liveId();
    const paths: [string, string][] = [
      ["starts", "POST /execution/image/start"],
      ["records", `GET /execution/${id}`],
      ["records", `GET /execution/streaming/${id}/status`],
      ["lists", "GET /workloads/list"],
      ["history", "GET /billing/history?limit=3"],
      ["artifacts", `GET /execution/${id}/timing`],
      ["artifacts", `GET /execution/${id}/metrics`],
      ["artifacts", `GET /logs/execution/${id}`],
      ["cancel", `POST /workloads/abort/${id}`],
      ["cancel", `POST /workloads/stop/${id}`],
      ["cancel", `DELETE /execution/${id}`],
      ["auth", "POST /auth/login"],
      ["health", "GET /health/ping"],
      ["account", "GET /machine-types"],
    ];
    const groups = [...new Set(paths.map(([group]) => group))] as Rule["routes"][];
    for (const routes of groups) {
      set({ routes, answer: { status: 299, body: "" }, deed: "undone" }, { routes: "all", answer: "413" });
      for (const [group, path] of paths) {
        const [method = "", url = ""] = path.split(" ");
        const body = method === "POST" ? image : undefined;
        expect([path, (await scene.raw(method, url, body)).status]).toEqual([
          path,
          group === routes ? 299 : 413,
        ]);
      }
    }
    set({ routes: ["starts", "history"] as Rule["routes"], answer: "413" });
    const statuses = [
      await start(),
      await scene.raw("GET", "/billing/history"),
      await scene.raw("GET", "/workloads/list"),
    ];
    expect(statuses.map(({ status }) => status)).toEqual([413, 413, 200]);
  });

  it("a rule holds for a while after it was set, or by chance", async () => {
    set({ routes: "lists", answer: "backend", when: { for: "165s" } });
    const status = async () => (await scene.raw("GET", "/workloads/list")).status;
    expect(await status()).toBe(404);
    aheadMs = 164_000;
    expect(await status()).toBe(404);
    aheadMs = 165_001;
    expect(await status()).toBe(200);
    set({ routes: "lists", answer: "backend", when: { for: "165s" } });
    expect(await status()).toBe(404);
    set({ routes: "lists", answer: "backend", when: 0.5 });
    const many = await Promise.all(Array.from({ length: 20 }, status));
    expect(new Set(many)).toEqual(new Set([200, 404]));
  });

  it("a rule holds for the calls about one run if the run's directive says so", async () => {
    const directive = `${long} gateway=records:backend:next2,artifacts:page`;
    const { body } = await scene.image({ docker_run_env: directive });
    const other = await liveId();
    const status = async (id: string) => (await scene.raw("GET", `/execution/${id}`)).status;
    expect([await status(body.execution_id), await status(other)]).toEqual([404, 200]);
    expect([await status(body.execution_id), await status(body.execution_id)]).toEqual([404, 200]);
    expect((await scene.raw("GET", `/logs/execution/${body.execution_id}`)).text).toContain("<html>");
    expect((await scene.image({ docker_run_env: "EMULATOR=gateway=records:nobody" })).status).toBe(422);
  });
});

describe("Lyceum's own answer", () => {
  it("an answer of Lyceum can come within the oldest envelope, a login and a list too", async () => {
    set({ routes: "all", answer: "envelope" });
    const login = await scene.post("/auth/login", {
      email: "emulator@example.test",
      password: "emulator",
    });
    expect(login.body).toMatchObject({ status: "success", data: { expires_in: 86_400 }, message: "ok" });
    const { body } = await scene.image({ docker_run_env: long });
    expect(body.data.execution_id).toEqual(expect.any(String));
    expect((await scene.get("/workloads/list")).body.data[0].execution_id).toBe(body.data.execution_id);
  });

  it("an error of Lyceum keeps its own form in the envelope", async () => {
    set({ routes: "all", answer: "envelope" });
    expect((await scene.get("/execution/unknown")).body).toEqual({ detail: "Execution not found" });
  });

  it("an answer of Lyceum can have another content type, a byte order mark, a cut, or a wrapper", async () => {
    const id = await liveId();
    const list = async (answer: NonNullable<Rule["answer"]>) => {
      set({ routes: "lists", answer });
      return (await scene.raw("GET", "/workloads/list")).text;
    };
    const plain = await list("own");
    expect(JSON.parse(plain)[0].execution_id).toBe(id);
    expect(await list("executions")).toBe(`{"executions":${plain}}`);
    expect(await list("results")).toBe(`{"results":${plain}}`);
    expect(await list("bom")).toBe(`\uFEFF${plain}`);
    expect(await list("cut")).toBe(plain.slice(0, plain.length / 2));
    expect(await list({ body: '{"a":<answer>,"b":<answer>}' })).toBe(`{"a":${plain},"b":${plain}}`);
  });

  it("an answer of Lyceum can have any header, also when it is 429", async () => {
    const headers = { "x-ratelimit-limit": "1e99", "x-ratelimit-reset": "9999999999999" };
    set({ routes: "starts", headers });
    scene.emulator.setChaos({ throttle: { starts: { next: 1 } }, retry_after: "none" });
    for (const status of [429, 200]) {
      const seen = await start();
      expect(seen.status).toBe(status);
      for (const [name, value] of Object.entries(headers)) expect(seen.headers.get(name)).toBe(value);
    }
  });
});
