// Runs of each kind from start to end, and what can be read about them.
import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openScene, type Scene, until } from "./scene.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
beforeEach(() => scene.emulator.reset());
afterAll(() => scene.close());

const hook = () => ({ user_callback_urls: [scene.receiver.url] });
const isAlive = (pid: number) => {
  const stat = `/proc/${pid}/stat`;
  return existsSync(stat) && !readFileSync(stat, "utf8").includes(") Z ");
};
const callbacksFor = (id: string) =>
  scene.receiver.received.filter(({ body }) => body.toString().includes(id)).length;

describe("a Python run", () => {
  it("a Python run executes its code, keeps both streams and the exit code, and calls back", async () => {
    const code = 'import sys\nprint(6 * 7)\nprint("oops", file=sys.stderr)\nsys.exit(3)\n';
    const start = await scene.python(code, { file_name: "exe_1 sum.py", ...hook() });
    expect(start.status).toBe(200);
    expect(Object.keys(start.body)).toEqual(["execution_id", "status", "streaming_url", "pythia_decision"]);
    expect(start.body.status).toBe("pending");

    const record = await scene.ended(start.body.execution_id);
    expect(record).toMatchObject({
      status: "failed",
      stdout: "42\n",
      stderr: "oops\n",
      return_code: 3,
      file_name: "exe_1 sum.py",
      execution_type: "python code",
      hardware_profile: "cpu",
    });
    expect(record.created_at).toMatch(/\.\d{6}\+00:00$/);
    expect(Date.parse(`${record.finish_time}Z`)).toBeGreaterThan(Date.parse(record.end_time));
    await until(() => callbacksFor(start.body.execution_id) === 1);
  });

  it("a Python run has its imported files, and nothing of the emulator's environment", async () => {
    process.env.EMULATOR_TEST_SECRET = "canary";
    const code =
      'import os\nfrom pkg.io import X\nprint(X, open("data.txt").read())\nprint(dict(os.environ))';
    const files = { "pkg/io.py": "X = 'imported'\n", "data.txt": "read" };
    const { body } = await scene.python(code, { import_files: JSON.stringify(files) });
    const record = await scene.ended(body.execution_id);
    expect(record.stdout).toContain("imported read\n");
    expect(record.stdout).not.toContain("canary");
    delete process.env.EMULATOR_TEST_SECRET;
  });

  it("a Python run is refused if an imported file lies outside its folder", async () => {
    for (const path of ["../x.py", "/tmp/x.py", "a/../../x", "a//b", "..\\x"]) {
      const { status, body } = await scene.python("1", { import_files: JSON.stringify({ [path]: "" }) });
      expect(status).toBe(422);
      expect(body.detail[0].loc).toEqual(["body", "import_files"]);
    }
    expect(existsSync("/tmp/x.py")).toBe(false);
  });

  it("a Python run ends as system_failure if its imported files contradict each other", async () => {
    const { body } = await scene.python("1", { import_files: JSON.stringify({ a: "", "a/b": "" }) });
    expect(await scene.ended(body.execution_id)).toMatchObject({
      status: "system_failure",
      return_code: null,
    });
  });

  it("a Python run is killed with all its children at its timeout", async () => {
    const code =
      'import subprocess\nchild = subprocess.Popen(["sleep", "60"])\nprint(child.pid)\nchild.wait()';
    const { body } = await scene.python(code, { timeout: 2 });
    const record = await scene.ended(body.execution_id);
    expect(record).toMatchObject({ status: "timeout", return_code: null });
    const pid = Number(record.stdout);
    expect(pid).toBeGreaterThan(1);
    // The orphan may stay a zombie for a moment, until init has taken note of it.
    await until(() => !isAlive(pid));
    expect(record.errors).toContain("timeout of 2 s");
  });

  it("an abort kills a Python run, which keeps its output and calls back", async () => {
    const { body } = await scene.python('print("begun\\n", end="")\nimport time\ntime.sleep(60)', hook());
    const id = body.execution_id;
    await until(async () => (await scene.get(`/logs/execution/${id}`)).body.total === 1);
    const answer = await scene.post(`/workloads/abort/${id}`);
    expect(answer).toMatchObject({ status: 200, body: { message: "Execution aborted", status: "aborted" } });
    expect(await scene.ended(id)).toMatchObject({ status: "aborted", stdout: "begun\n" });
    expect((await scene.post(`/workloads/abort/${id}`)).status).toBe(404);
    await until(() => callbacksFor(id) === 1);
  });

  it("a Python run stays pending while two others are running", async () => {
    const sleep = "import time\ntime.sleep(60)";
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) ids.push((await scene.python(sleep)).body.execution_id);
    const states = async () => {
      const { body } = await scene.get("/workloads/list");
      return body.map((item: { status: string }) => item.status).sort();
    };
    await until(async () => (await states()).join() === "pending,running,running");
    await scene.post(`/execution/streaming/abort/${ids[0]}`);
    await until(async () => (await states()).join() === "running,running");
  });

  describe("a run with an hour to go", () => {
    const startFive = async (stage: string) => {
      const code = `import os\nprint(os.getcwd())  # emulator: ${stage}=1h`;
      const ids: string[] = [];
      for (let i = 0; i < 5; i++) ids.push((await scene.python(code)).body.execution_id);
      const isThere = async (id: string) => {
        if (stage === "starting")
          return scene.emulator.executions().some((one) => one.executionId === id && one.status === stage);
        // The hour begins when the process is over, and its folder gone.
        const folder = (await scene.get(`/logs/execution/${id}`)).body.logs[0]?.message;
        return folder !== undefined && !existsSync(folder);
      };
      for (const id of ids.slice(0, 2)) await until(() => isThere(id));
      return ids;
    };
    const ends: [string, (id: string) => Promise<unknown>][] = [
      ["aborted", (id) => scene.post(`/workloads/abort/${id}`)],
      ["stopped", (id) => scene.post(`/workloads/stop/${id}`)],
      ["deleted", (id) => scene.call("DELETE", `/execution/${id}`)],
      ["reset", () => scene.emulator.reset()],
    ];
    for (const stage of ["starting", "delay"])
      it.each(ends)(`a run that is %s in its ${stage} frees its slot`, async (_, end) => {
        for (const id of await startFive(stage)) await end(id);
        const { body } = await scene.python("print(1)");
        expect(await scene.ended(body.execution_id)).toMatchObject({ status: "completed" });
      });
  });

  it("a Python run says that requirements are not installed", async () => {
    const { body } = await scene.python("print(1)", { requirements_content: "numpy\n" });
    const record = await scene.ended(body.execution_id);
    expect(record.install_log).toContain("not installed here:\nnumpy");
  });

  it("a Python run imports prior_imports first", async () => {
    const { body } = await scene.python("print(math.floor(2.5))", { prior_imports: ["math"] });
    expect((await scene.ended(body.execution_id)).stdout).toBe("2\n");
  });

  it("without Python the run is simulated, and says so", async () => {
    const bare = await openScene({ python: "no-such-python3" });
    const { body } = await bare.python("print(1)");
    const record = await bare.ended(body.execution_id);
    expect(record.stdout).toContain("no-such-python3 is not here, so the code was not run");
    await bare.close();
  });

  it("the emulator leaves no process and no folder behind when it closes", async () => {
    const own = await openScene();
    const { body } = await own.python(
      'import os, time\nprint(f"{os.getpid()} {os.getcwd()}\\n", end="")\ntime.sleep(60)',
    );
    const firstLine = async () =>
      (await own.get(`/logs/execution/${body.execution_id}`)).body.logs[0]?.message;
    await until(async () => (await firstLine()) !== undefined);
    const [pid = "", folder = ""] = (await firstLine()).split(" ");
    expect(existsSync(folder)).toBe(true);
    await own.close();
    expect(isAlive(Number(pid))).toBe(false);
    expect(existsSync(folder)).toBe(false);
  });

  it("a Python run has its output cut at the limit", async () => {
    const small = await openScene({ outputLimit: 10 });
    const { body } = await small.python('print("x" * 100)');
    const record = await small.ended(body.execution_id);
    expect(record.stdout).toBe("x".repeat(10));
    expect(record.stderr).toContain("cut after 10 characters");
    await small.close();
  });
});

describe("a simulated run", () => {
  it("a simulated image completes, says that it was simulated, and calls back", async () => {
    const { body } = await scene.image({
      docker_image_ref: "alpine:3",
      execution_type: "gpu.a100",
      ...hook(),
    });
    expect(Object.keys(body)).toEqual(["execution_id", "status", "streaming_url"]);
    const record = await scene.ended(body.execution_id);
    expect(record).toMatchObject({
      status: "completed",
      execution_type: "docker",
      hardware_profile: "gpu.a100",
    });
    expect(record.stdout).toBe("emulator: pretended to run image alpine:3 on gpu.a100\n");
    await until(() => callbacksFor(body.execution_id) === 1);
  });

  it("a simulated run fails with the exit code of a directive in its environment or command", async () => {
    const byEnv = await scene.image({ docker_run_env: "A=1\nEMULATOR=exit=3" });
    const byCommand = await scene.image({ docker_run_cmd: ["sh", "-c", "exit 4 # emulator: exit=4"] });
    expect(await scene.ended(byEnv.body.execution_id)).toMatchObject({ status: "failed", return_code: 3 });
    expect(await scene.ended(byCommand.body.execution_id)).toMatchObject({
      status: "failed",
      return_code: 4,
    });
  });

  it("a simulated Compose stack completes and calls back", async () => {
    const { body } = await scene.post("/execution/compose/start", {
      compose_file_code: "services: {}",
      ...hook(),
    });
    expect(await scene.ended(body.execution_id)).toMatchObject({ status: "completed", return_code: 0 });
    await until(() => callbacksFor(body.execution_id) === 1);
  });

  it("a simulated GPU selection has sub-jobs, and calls nobody back", async () => {
    const { body } = await scene.post("/execution/gpu_selection/start", { code: "print(1)", ...hook() });
    expect(Object.keys(body)).toEqual(["execution_id", "status", "message"]);
    await scene.ended(body.execution_id);
    const status = await scene.get(`/execution/gpu_selection/${body.execution_id}/status`);
    expect(status.body).toMatchObject({ status: "completed", note: expect.stringContaining("invented") });
    expect(status.body.sub_jobs).toHaveLength(3);
    const [subJob] = status.body.sub_jobs;
    expect((await scene.get(`/execution/${subJob.execution_id}`)).body).toMatchObject({
      status: "completed",
      parent_execution_id: body.execution_id,
    });
    expect(callbacksFor(body.execution_id)).toBe(0);
    const { body: history } = await scene.get("/billing/history");
    expect(history.executions).toHaveLength(4);
  });

  it("a simulated run passes through pending, starting, running and an end that is not shown yet", async () => {
    const shown = async (stage: string) => {
      const { body } = await scene.image({ docker_run_env: `EMULATOR=${stage}=1h` });
      await until(() => scene.emulator.executions().at(-1)?.status === expected[stage]);
      return (await scene.get(`/execution/${body.execution_id}`)).body;
    };
    const expected: Record<string, string> = {
      pending: "pending",
      starting: "starting",
      delay: "running",
      finishing: "running",
    };
    expect(await shown("pending")).toMatchObject({ status: "pending", execelet_start: null });
    expect(await shown("starting")).toMatchObject({ status: "starting", start_time: null });
    expect(await shown("delay")).toMatchObject({ status: "running", end_time: null, stdout: null });
    const unstored = await shown("finishing");
    expect(unstored).toMatchObject({ status: "running", finish_time: null, return_code: null });
    expect(unstored.end_time).toEqual(expect.any(String));
  });

  it("a simulated run shows the duration of each of its phases", async () => {
    const lengths = "pending=20ms starting=30ms delay=40ms finishing=50ms";
    const { body } = await scene.image({ docker_run_env: `EMULATOR=${lengths}` });
    await scene.ended(body.execution_id);
    const { timing } = (await scene.get(`/execution/${body.execution_id}/timing`)).body;
    // A timer may fire a millisecond early by the wall clock.
    expect(timing.queued).toBeGreaterThanOrEqual(0.018);
    expect(timing.launchingContainer).toBeGreaterThanOrEqual(0.028);
    expect(timing.executingJob).toBeGreaterThanOrEqual(0.038);
    expect(timing.shuttingDown).toBeGreaterThanOrEqual(0.048);
    expect(timing.total).toBeGreaterThanOrEqual(0.132);
  });
});

describe("what can be read", () => {
  it("the list shows unfinished runs only, as a bare array", async () => {
    await scene.image();
    const { body } = await scene.image({ file_name: "exe_2", docker_run_env: "EMULATOR=delay=1h" });
    await until(async () => (await scene.get("/workloads/list")).body.length === 1);
    const { body: list } = await scene.get("/workloads/list");
    expect(list[0]).toMatchObject({
      execution_id: body.execution_id,
      file_name: "exe_2",
      hardware_profile: "cpu",
    });
    expect(Object.keys(list[0])).toHaveLength(5);
  });

  it("GPU series exist for GPU profiles only", async () => {
    const gpu = await scene.image({ execution_type: "gpu.h100", docker_run_env: "EMULATOR=delay=20ms" });
    const cpu = await scene.image();
    await scene.ended(cpu.body.execution_id);
    await scene.ended(gpu.body.execution_id);
    const { body: curves } = await scene.get(`/execution/${gpu.body.execution_id}/metrics?step=1s`);
    expect(curves.gpuPowerLimitWatt[0].value).toBe(700);
    expect(curves.gpuUtilizationPercent).toHaveLength(1);
    const { body: flat } = await scene.get(`/execution/${cpu.body.execution_id}/metrics`);
    expect(flat.gpuUtilizationPercent).toEqual([]);
    expect(flat.systemCpuUsagePercent).toHaveLength(1);
    expect(Object.keys(flat)).toHaveLength(15);
    expect((await scene.get(`/execution/${cpu.body.execution_id}/metrics?step=x`)).status).toBe(422);
  });

  it("the log has the output as entries, the newest up to the limit", async () => {
    const { body } = await scene.python("for i in range(5): print(i)");
    await scene.ended(body.execution_id);
    const { body: log } = await scene.get(`/logs/execution/${body.execution_id}?limit=2&hours=1`);
    expect(log.logs.map((entry: { message: string }) => entry.message)).toEqual(["3", "4"]);
    expect(log.total).toBe(2);
    expect(log.logs[0]).toMatchObject({ level: null, labels: { stream: "stdout" } });
  });

  it("the full record shows secrets, as a canary", async () => {
    const secrets = { docker_username: "bot", docker_password: "s3cret", ...hook() };
    const { body } = await scene.image(secrets);
    const record = await scene.ended(body.execution_id);
    expect(record.docker_registry_credentials).toMatchObject({ username: "bot", password: "s3cret" });
    expect(record.user_callback_url).toBe(scene.receiver.url);
  });

  it("a deleted run and unknown ids are 404 everywhere", async () => {
    const { body } = await scene.image();
    const id = body.execution_id;
    await scene.ended(id);
    expect((await scene.call("DELETE", `/execution/${id}`)).status).toBe(200);
    const reads = ["", "/timing", "/metrics"].map((end) => `/execution/${id}${end}`);
    for (const path of [...reads, `/logs/execution/${id}`, `/execution/streaming/${id}/status`]) {
      expect(await scene.get(path)).toMatchObject({ status: 404, body: { detail: "Execution not found" } });
    }
    expect((await scene.post(`/workloads/stop/${id}`)).status).toBe(404);
  });
});
