// The switches: each one does what it says, globally and by directive, and the same seed does the same again.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openScene, type Scene, until } from "./scene.ts";

let scene: Scene;
let aheadMs = 0;
const anHourMs = 3_600_000;
beforeAll(async () => {
  scene = await openScene({ now: () => Date.now() + aheadMs });
});
beforeEach(async () => {
  aheadMs = 0;
  await scene.emulator.reset();
});
afterAll(() => scene.close());

const set = (changes: Parameters<Scene["emulator"]["setChaos"]>[0]) => scene.emulator.setChaos(changes);
const long = { docker_run_env: "EMULATOR=delay=1h" };

describe("a start", () => {
  it("a start can be accepted and its connection destroyed", async () => {
    set({ answer: { lost: { next: 1 } } });
    await expect(scene.image({ file_name: "exe_lost" })).rejects.toThrow("fetch failed");
    expect(scene.emulator.executions()).toMatchObject([{ fileName: "exe_lost" }]);
    await until(() => scene.emulator.calls().length === 1);
    expect(scene.emulator.calls()[0]).toMatchObject({ status: 0, route: "/execution/image/start" });
    expect((await scene.image()).status).toBe(200);
  });

  it.each(["500", "502"] as const)("a start can be accepted and answered %s", async (effect) => {
    set({ answer: { [effect]: 1 } });
    expect((await scene.image()).status).toBe(Number(effect));
    expect(scene.emulator.executions()).toHaveLength(1);
  });

  it("a start can be accepted and answered with HTML", async () => {
    set({ answer: { unreadable: 1 } });
    expect(await scene.image()).toMatchObject({ status: 200, body: expect.stringContaining("<html>") });
    expect(scene.emulator.executions()).toHaveLength(1);
  });

  it("a start can be answered 500 without being accepted", async () => {
    set({ answer: { refused: 1 } });
    expect((await scene.image()).status).toBe(500);
    expect(scene.emulator.executions()).toHaveLength(0);
  });

  it("a start can be accepted and its answer held back", async () => {
    const answer = scene.image({ docker_run_env: "EMULATOR=answer=stall stall=400ms" });
    await until(() => scene.emulator.executions()[0]?.isTerminal === true);
    expect(scene.emulator.calls()).toEqual([]);
    expect((await answer).status).toBe(200);
  });

  it("a start can be throttled a number of times, with Retry-After in each form or none", async () => {
    set({ throttle: { starts: { next: 3 } }, retry_in: "2s" });
    const seconds = await scene.image();
    expect(seconds.status).toBe(429);
    expect(seconds.headers.get("retry-after")).toBe("2");
    set({ retry_after: "date" });
    expect((await scene.image()).headers.get("retry-after")).toMatch(/^\w{3}, .* GMT$/);
    set({ retry_after: "none" });
    expect((await scene.image()).headers.get("retry-after")).toBeNull();
    expect((await scene.image()).status).toBe(200);
    expect(scene.emulator.executions()).toHaveLength(1);
  });

  it("a start beyond the limit of a window is 429, with the documented headers", async () => {
    set({ limit: { starts: 2, window: "1h" } });
    expect((await scene.image()).headers.get("x-ratelimit-remaining")).toBe("1");
    await scene.image();
    const third = await scene.image();
    expect(third.status).toBe(429);
    expect(third.headers.get("x-ratelimit-limit")).toBe("2");
    expect(Number(third.headers.get("x-ratelimit-reset")) * 1000).toBeGreaterThan(Date.now());
    expect(Number(third.headers.get("retry-after"))).toBeGreaterThan(3500);
    expect((await scene.get("/workloads/list")).status).toBe(200);
  });

  it("a start is not stopped by a used-up limit on billing", async () => {
    set({ billing_limit: { calls: 1, window: "1h" } });
    expect((await scene.get("/billing/history")).headers.get("x-ratelimit-remaining")).toBe("0");
    expect((await scene.get("/billing/history")).status).toBe(429);
    expect((await scene.image()).status).toBe(200);
  });

  it("a start ignores machine_type unless the switch honours it", async () => {
    const first = await scene.image({ machine_type: "gpu.a100" });
    expect((await scene.ended(first.body.execution_id)).hardware_profile).toBe("cpu");
    set({ machine_type: "honoured" });
    const second = await scene.image({ machine_type: "gpu.a100" });
    expect((await scene.ended(second.body.execution_id)).hardware_profile).toBe("gpu.a100");
  });

  it("a start ignores unknown fields unless the switch rejects them", async () => {
    expect((await scene.image({ surprise: 1 })).status).toBe(200);
    set({ unknown_fields: "rejected" });
    expect((await scene.image({ surprise: 1 })).body.detail).toEqual([
      { loc: ["body", "surprise"], msg: "Extra inputs are not permitted", type: "extra_forbidden" },
    ]);
  });

  it("a start of an image may lack its command only if the switch allows that", async () => {
    const body = { docker_image_ref: "busybox" };
    expect((await scene.post("/execution/image/start", body)).body.detail[0]).toMatchObject({
      type: "missing",
    });
    set({ command: "optional" });
    expect((await scene.post("/execution/image/start", body)).status).toBe(200);
  });
});

describe("other calls", () => {
  it("other calls can be throttled, broken or cut off, while starts succeed", async () => {
    const { body } = await scene.image(long);
    const path = `/execution/${body.execution_id}`;
    set({ throttle: { others: { next: 1 } } });
    expect((await scene.get(path)).status).toBe(429);
    for (const effect of ["500", "502", "503"] as const) {
      set({ read: { [effect]: { next: 1 } } });
      expect((await scene.get(path)).status).toBe(Number(effect));
    }
    set({ read: { html: { next: 1 } } });
    expect((await scene.get(path)).body).toContain("<html>");
    set({ read: { reset: { next: 1 } } });
    await expect(scene.get(path)).rejects.toThrow("fetch failed");
    set({ read: { "500": 1 } });
    expect((await scene.image()).status).toBe(200);
    expect((await scene.post(`/workloads/abort/${body.execution_id}`)).status).toBe(500);
    set({ read: {} });
    expect((await scene.get(path)).body.status).toBe("running");
  });

  it("other calls can be answered 401 with a good token", async () => {
    set({ unauthorized: { next: 1 } });
    expect((await scene.get("/machine-types")).status).toBe(401);
    expect((await scene.get("/machine-types")).status).toBe(200);
  });

  it("all calls can be slow", async () => {
    set({ slow: "50ms" });
    const before = performance.now();
    await scene.get("/machine-types");
    expect(performance.now() - before).toBeGreaterThanOrEqual(45);
  });
});

describe("what is shown of a run", () => {
  it("a status can be shown in capitals, with spaces, in unknown words or in old ones", async () => {
    const spelling = async (words: string) => {
      const going = await scene.image({ docker_run_env: `EMULATOR=delay=1h words=${words}` });
      const over = await scene.image({ docker_run_env: `EMULATOR=words=${words} exit=1` });
      await until(() => scene.emulator.executions().some((one) => one.status === "running"));
      await scene.ended(over.body.execution_id);
      const paths = [going, over].map(({ body }) => `/execution/streaming/${body.execution_id}/status`);
      const answers = await Promise.all(paths.map(scene.get));
      await scene.emulator.reset();
      return answers.map(({ body }) => body.status);
    };
    expect(await spelling("capitals")).toEqual(["RUNNING", "FAILED"]);
    expect(await spelling("spaces")).toEqual(["waiting for docker container", " failed "]);
    expect(await spelling("unknown")).toEqual(["rebalancing", "failed"]);
    expect(await spelling("old")).toEqual(["running", "failed_user"]);
  });

  it("the end of a run can be any that a directive names, for Python too", async () => {
    const { body } = await scene.python("print(1) # emulator: status=system_failure");
    expect(await scene.ended(body.execution_id)).toMatchObject({ status: "system_failure", return_code: 0 });
  });

  it("a run can be 404 for a while after its start", async () => {
    const { body } = await scene.image({ docker_run_env: "EMULATOR=missing=1h" });
    expect((await scene.get(`/execution/${body.execution_id}`)).status).toBe(404);
    expect((await scene.get(`/execution/streaming/${body.execution_id}/status`)).status).toBe(404);
    aheadMs += anHourMs;
    expect((await scene.get(`/execution/${body.execution_id}`)).status).toBe(200);
  });

  it("a run can be missing from the list or from the history", async () => {
    await scene.image({ docker_run_env: "EMULATOR=delay=1h hidden=list" });
    await scene.image({ docker_run_env: "EMULATOR=delay=1h hidden=history" });
    const listed = (await scene.get("/workloads/list")).body;
    const billed = (await scene.get("/billing/history")).body;
    const [first, second] = scene.emulator.executions().map(({ executionId }) => executionId);
    expect(listed.map((row: { execution_id: string }) => row.execution_id)).toEqual([second]);
    expect(billed.executions.map((row: { execution_id: string }) => row.execution_id)).toEqual([first]);
  });

  it("the list can show the sub-jobs of a GPU selection", async () => {
    set({ delay: "1m", sub_jobs: "listed" });
    await scene.post("/execution/gpu_selection/start", { code: "1" });
    expect((await scene.get("/workloads/list")).body).toHaveLength(4);
    set({ sub_jobs: "unlisted" });
    expect((await scene.get("/workloads/list")).body).toHaveLength(1);
  });

  it("a log can come late, in two portions", async () => {
    const { body } = await scene.python("for i in range(4): print(i)\n# emulator: logs=late log_lag=1h");
    await scene.ended(body.execution_id);
    const total = async () => (await scene.get(`/logs/execution/${body.execution_id}`)).body.total;
    expect(await total()).toBe(0);
    aheadMs += anHourMs;
    expect(await total()).toBe(2);
    aheadMs += anHourMs;
    expect(await total()).toBe(4);
  });

  it("a log can have repeated entries, another order and another total", async () => {
    const { body } = await scene.python("for i in range(4): print(i)");
    await scene.ended(body.execution_id);
    const messages = async (query = "") => {
      const { body: log } = await scene.get(`/logs/execution/${body.execution_id}${query}`);
      return [log.total, ...log.logs.map((entry: { message: string }) => entry.message)].join(" ");
    };
    set({ log_order: "newest" });
    expect(await messages()).toBe("4 3 2 1 0");
    set({ log_order: "shuffled" });
    expect((await messages()).split(" ").sort().join(" ")).toBe("0 1 2 3 4");
    set({ log_order: "oldest", logs: { double: 1 }, log_total: "matching" });
    expect(await messages("?limit=3")).toBe("6 2 3 3");
  });
});

describe("the end of a run", () => {
  it("a run that reaches its timeout can be timeout, failed, aborted or system_failure", async () => {
    const words = ["timeout", "failed", "aborted", "system_failure"];
    const ends = words.map(async (word) => {
      const { body } = await scene.image({ timeout: 1, docker_run_env: `EMULATOR=delay=1h timeout=${word}` });
      return (await scene.ended(body.execution_id)).status;
    });
    expect(await Promise.all(ends)).toEqual(words);
  });

  it.each(["completed", "cancelled"] as const)("a run can be %s after a graceful stop", async (word) => {
    set({ stop: word });
    const { body } = await scene.image(long);
    expect((await scene.post(`/workloads/stop/${body.execution_id}`)).status).toBe(200);
    expect((await scene.ended(body.execution_id)).status).toBe(word);
  });

  it("a run can end before its abort takes effect", async () => {
    set({ lag: "1m", delay: "400ms" });
    const { body } = await scene.image();
    expect((await scene.post(`/workloads/abort/${body.execution_id}`)).status).toBe(200);
    expect((await scene.ended(body.execution_id)).status).toBe("completed");
  });
});

describe("the switches", () => {
  it("unknown switches are refused by name, in every place", async () => {
    const wrong = { colour: "red" } as never;
    expect(() => set(wrong)).toThrow("colour");
    await expect(openScene({ chaos: wrong })).rejects.toThrow("colour");
    const { status, body } = await scene.image({ docker_run_env: "EMULATOR=colour=red" });
    expect(status).toBe(422);
    expect(body.detail[0].msg).toContain("colour");
    for (const bad of ["callback=lots", "slow=1s", "delay=soon", "exit"]) {
      expect((await scene.image({ docker_run_env: `EMULATOR=${bad}` })).status).toBe(422);
    }
  });

  it("a reset returns the switches to the options", async () => {
    const own = await openScene({ chaos: { throttle: { starts: { next: 1 } } } });
    for (let i = 0; i < 2; i++) {
      own.emulator.setChaos({ words: "capitals" });
      expect((await own.image()).status).toBe(429);
      expect((await own.image()).body.status).toBe("PENDING");
      await own.emulator.reset();
      expect((await own.get("/billing/history")).body.total_executions).toBe(0);
    }
    await own.close();
  });

  it("switches decide by probability, equally for equal seeds", async () => {
    const outcomes = async (seed: number) => {
      const own = await openScene({ seed, chaos: { answer: { "500": 0.5 } } });
      const statuses: number[] = [];
      for (let i = 0; i < 30; i++) statuses.push((await own.image()).status);
      await own.close();
      return statuses.join();
    };
    const first = await outcomes(7);
    expect(first).toContain("500");
    expect(first).toContain("200");
    expect(await outcomes(7)).toBe(first);
    expect(await outcomes(8)).not.toBe(first);
  });
});
