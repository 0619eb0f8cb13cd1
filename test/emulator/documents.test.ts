// Switches for the documents in which a run is shown: fields with other values, gaps, lags and other shapes.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Json, openScene, type Scene, until } from "./scene.ts";

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

const set = (changes: Parameters<Scene["emulator"]["setChaos"]>[0]) => scene.emulator.setChaos(changes);
const run = async (directive: string, more: object = {}) => {
  const { body } = await scene.image({ docker_run_env: `EMULATOR=${directive}`, ...more });
  return body.execution_id as string;
};
const ended = async (directive: string, more: object = {}) => {
  const id = await run(directive, more);
  await scene.ended(id);
  return id;
};
const text = async (path: string) => (await scene.raw("GET", path)).text;
const list = async () => (await scene.get("/workloads/list")).body as Json[];

describe("a field", () => {
  it("a field of each document can have any raw text in its place", async () => {
    const fields = [
      ["status.errors", (id: string) => `/execution/streaming/${id}/status`],
      ["record.result", (id: string) => `/execution/${id}`],
      ["timing.more", (id: string) => `/execution/${id}/timing`],
      ["metrics.hostname", (id: string) => `/execution/${id}/metrics`],
      ["logs.total", (id: string) => `/logs/execution/${id}`],
      ["list.status", () => "/workloads/list"],
      ["history.billed", () => "/billing/history"],
    ] as const;
    const id = await run("delay=1h");
    await until(() => scene.emulator.executions()[0]?.status === "running");
    set({ fields: Object.fromEntries(fields.map(([field]) => [field, "1e400"])) });
    for (const [field, path] of fields) {
      expect(await text(path(id))).toContain(`"${field.split(".")[1]}":1e400`);
    }
    set({ fields: { "start.execution_id": '".."', "abort.status": "[]", "login.expires_in": "-1" } });
    expect((await scene.image()).body.execution_id).toBe("..");
    expect((await scene.post(`/workloads/abort/${id}`)).body.status).toEqual([]);
    const account = { email: "emulator@example.test", password: "emulator" };
    expect((await scene.post("/auth/login", account)).body.expires_in).toBe(-1);
    const selection = await scene.post("/execution/gpu_selection/start", {
      code: "# emulator: fields=selection.status:null,start.message:7",
    });
    expect(selection.body.message).toBe(7);
    const status = `/execution/gpu_selection/${scene.emulator.executions()[2]?.executionId}/status`;
    expect((await scene.get(status)).body.status).toBeNull();
  });

  it("a field is changed in only as many documents as the switch says", async () => {
    const id = await run("fields=record.result:@nan,record.return_code:4294967295 fields_when=next2");
    await until(() => scene.emulator.executions()[0]?.isTerminal === true);
    for (let nth = 0; nth < 2; nth++)
      expect(await text(`/execution/${id}`)).toContain('"result":NaN,"return_code":4294967295');
    expect((await scene.get(`/execution/${id}`)).body).toMatchObject({ result: null, return_code: 0 });
  });

  const odd: [string, (field: string | undefined, id: string) => boolean][] = [
    ["@absent", (field) => field === undefined],
    ["@nan", (field) => field === "NaN"],
    ["@infinity", (field) => field === "Infinity"],
    ["@huge", (field) => field === "9007199254740993"],
    ["@nul", (field) => field === '"a\\u0000b"'],
    ["@surrogate", (field) => field === '"a\\ud800b"'],
    ["@dots", (field) => field === `"${"a.".repeat(90_000)}"`],
    ["@blanks", (field) => /^" {1000000}"$/.test(field ?? "")],
    ["@deep", (field) => field?.length === 4_000_000 && field.startsWith("[[[")],
    ["@empties", (field) => field?.split("{}").length === 1_000_001],
    ["@oversize", (field) => (field?.length ?? 0) > 16 * 1024 * 1024],
    ["@request", (field) => field?.includes("canary-secret") === true],
    ["@neighbour", (field, id) => field === `"${id}"`],
    ["@marker", (field) => field === `"exe_${"0".repeat(26)}"`],
  ];
  it.each(odd)("a field can be %s", async (value, fits) => {
    const neighbour = await run("delay=1h");
    const id = await run(`delay=1h fields=record.cost:${value}`, { docker_password: "canary-secret" });
    const field = /"cost":(.*),"parent_execution_id"/.exec(await text(`/execution/${id}`))?.[1];
    expect(fits(field, neighbour)).toBe(true);
  });

  it("an unknown document and an unknown odd value are refused", () => {
    expect(() => set({ fields: { "records.cost": "1" } })).toThrow();
    expect(() => set({ fields: { "record.cost": "@strange" } })).toThrow("@nan");
  });
});

it("a record and a status can be those of another run", async () => {
  const other = await ended("exit=3", { file_name: "other" });
  const id = await run("delay=1h mixed_up=next2");
  const status = `/execution/streaming/${id}/status`;
  expect((await scene.get(`/execution/${id}`)).body).toMatchObject({
    execution_id: other,
    file_name: "other",
  });
  expect((await scene.get(status)).body.status).toBe("failed");
  expect((await scene.get(status)).body.status).not.toBe("failed");
});

describe("the end", () => {
  it("the end can be an unknown word, with or without the times and the return code", async () => {
    const told = await ended("status=finished exit=3000000000");
    expect((await scene.get(`/execution/${told}`)).body).toMatchObject({
      status: "finished",
      end_time: expect.any(String),
      return_code: 3_000_000_000,
    });
    const withheld = await ended("status=dissolved end=withheld");
    const nothing = { end_time: null, finish_time: null, job_end: null };
    expect((await scene.get(`/execution/${withheld}`)).body).toMatchObject({
      status: "dissolved",
      return_code: null,
      ...nothing,
    });
    expect((await scene.get("/billing/history")).body.executions[0]).toMatchObject(nothing);
  });

  it("the list can show an ended run as alive for a while", async () => {
    await ended("list_lag=300ms");
    expect(await list()).toMatchObject([{ status: "running" }]);
    await until(async () => (await list()).length === 0);
  });

  it.each(["404", "409"])("an abort that is answered %s does not end the run", async (status) => {
    const id = await run(`delay=1h abort=${status}:next2`);
    await until(() => scene.emulator.executions()[0]?.status === "running");
    for (const how of ["abort", "stop"])
      expect((await scene.post(`/workloads/${how}/${id}`)).status).toBe(Number(status));
    expect(await list()).toMatchObject([{ status: "running" }]);
    expect((await scene.post(`/workloads/abort/${id}`)).status).toBe(200);
    expect(await list()).toEqual([]);
  });
});

it("a GPU selection can be shown under other names, and without a status of the whole", async () => {
  const shapes: [string, object][] = [
    ["parent", { parent: { status: "completed" }, sub_jobs: [{}, {}, {}] }],
    ["jobs", { jobs: [{}, {}, {}] }],
    ["wordless", { sub_jobs: [{}, {}, {}] }],
  ];
  const { body } = await scene.post("/execution/gpu_selection/start", { code: "1" });
  await scene.ended(body.execution_id);
  for (const [selection, shape] of shapes) {
    set({ selection: selection as "jobs" });
    const answer = await scene.get(`/execution/gpu_selection/${body.execution_id}/status`);
    expect(answer.body).toMatchObject(shape);
    expect(answer.body.status).toBeUndefined();
  }
});

describe("what a run cost", () => {
  const billed = async (id: string) => {
    const { body } = await scene.get("/billing/history");
    const [row] = body.executions.filter((one: Json) => one.execution_id === id);
    return [(await scene.get(`/execution/${id}`)).body.billed > 0, row.billed > 0];
  };
  it("the cost of a run can be 0 at first and named later", async () => {
    const id = await ended("delay=100ms bill=late bill_lag=1h");
    expect(await billed(id)).toEqual([false, false]);
    aheadMs = 3_600_000;
    expect(await billed(id)).toEqual([true, true]);
  });

  it("the cost of a run can stand in the history alone", async () => {
    expect(await billed(await ended("delay=100ms bill=history"))).toEqual([false, true]);
  });
});

describe("timing and metrics", () => {
  it.each([
    ["empty", {}],
    ["detail", { detail: "Not available yet" }],
    ["error", { error: "Not available yet" }],
  ])("timing and metrics can be %s for a while after the end", async (gap, shape) => {
    const id = await ended(`artifact_lag=1h artifact_gap=${gap}`);
    for (const kind of ["timing", "metrics"])
      expect((await scene.get(`/execution/${id}/${kind}`)).body).toEqual(shape);
    aheadMs = 3_600_000;
    expect((await scene.get(`/execution/${id}/timing`)).body.timing.total).toBeGreaterThan(0);
    expect((await scene.get(`/execution/${id}/metrics`)).body.hostname).toContain("emulator");
  });

  it("metrics can be flat", async () => {
    const id = await ended("timing=flat");
    expect((await scene.get(`/execution/${id}/timing`)).body).toEqual({
      execution_id: id,
      start_time: expect.any(String),
      end_time: expect.any(String),
      duration: expect.any(Number),
    });
  });
});

describe("a log", () => {
  const log = async (id: string, query = "") => (await scene.get(`/logs/execution/${id}${query}`)).body;
  it("a log can lack its last lines for a while", async () => {
    const id = await ended("lines=8 log_tail=8 log_lag=1h");
    expect((await log(id)).total).toBe(1);
    aheadMs = 3_600_000;
    expect((await log(id)).total).toBe(9);
  });

  it("a log can be longer than any limit", async () => {
    const id = await ended("lines=10500");
    expect((await log(id, "?limit=10000")).logs).toHaveLength(10_000);
    set({ log_limit: "ignored" });
    expect((await log(id, "?limit=10000")).logs).toHaveLength(10_501);
  });

  it.each([
    ["bare", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}$/],
    ["micro", /\.\d{6}Z$/],
    ["nano", /\.\d{9}Z$/],
    ["loki", /^\d{19}$/],
  ])("a log can have timestamps in the form %s", async (form, pattern) => {
    const id = await ended(`log_time=${form}`);
    expect((await log(id)).logs[0].timestamp).toMatch(pattern);
  });
});
