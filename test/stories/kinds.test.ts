// One run of each kind, from the submission to what is kept of it.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callbackToken } from "../../src/domain/callback-token.ts";
import { callbackSecret, image, type RunView, type Service, startService } from "../support/service.ts";

let service: Service;
beforeAll(async () => {
  service = await startService({ settings: { POLL_INTERVAL_MIN: "1h", POLL_INTERVAL_MAX: "1h" } });
});
afterAll(() => service.close());

/** Returns the request that the emulator received for the run's last execution. */
function received(run: RunView) {
  const found = service.emulator.executions().find((one) => one.executionId === run.lyceum_execution_id);
  if (found === undefined) throw new Error("Lyceum never got it");
  return found;
}

function executionId(run: RunView): string {
  return run.executions.at(-1)?.id ?? "";
}

const artifact = (run: RunView, name: string, headers?: Record<string, string>) =>
  service.ann.get(`/v1/runs/${run.id}/${name}`, headers);

describe("a Python run", () => {
  let run: RunView;
  beforeAll(async () => {
    const code = 'import os, helpers.io\nprint("X is", helpers.io.X)\nprint("LR", os.environ["LR"])\n';
    const files = { "helpers/io.py": "X = 42\n" };
    run = await service.run({
      kind: "python",
      name: "first try!",
      code,
      files,
      env: { LR: "0.1" },
      requirements_content: "numpy\n",
      timeout: 90,
      execution_type: "cpu",
    });
  });

  it("a Python run reaches Lyceum with its files, requirements, time limit and hardware, and with the environment in its code", () => {
    const { body, kind } = received(run);
    expect(kind).toBe("python");
    expect(body).toMatchObject({ requirements_content: "numpy\n", timeout: 90, execution_type: "cpu" });
    expect(JSON.parse(String(body.import_files))).toEqual({ "helpers/io.py": "X = 42\n" });
    expect(body.code).toContain("environ");
    expect(Object.keys(body)).not.toContain("env");
    expect(Object.keys(body)).not.toContain("files");
  });

  it("a Python run carries its execution's id and its name in the file name", () => {
    expect(received(run).fileName).toBe(`${executionId(run)}-first-try-`);
  });

  it("a Python run asks for its callback at a URL of its own", () => {
    const token = callbackToken(callbackSecret, executionId(run));
    const url = `${service.url()}/callbacks/lyceum/${executionId(run)}/${token}`;
    expect(received(run).body.user_callback_urls).toEqual([url]);
  });

  it("a Python run ends as succeeded, found by its callback, with return code, times and cost", () => {
    expect(run).toMatchObject({
      name: "first try!",
      kind: "python",
      status: "succeeded",
      attempts: 1,
      error: null,
      return_code: 0,
      detected_by: "callback",
      execution_type: "cpu",
      gpu: null,
    });
    expect(run.duration_ms).toEqual(expect.any(Number));
    expect(run.cost).toEqual(expect.any(Number));
    for (const time of [run.created_at, run.started_at, run.ended_at])
      expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it("a Python run keeps a record of its execution", async () => {
    const [execution] = run.executions;
    expect(execution).toMatchObject({
      status: "completed",
      raw_status: "completed",
      attempt: 1,
      hardware: "cpu",
    });
    expect((await service.ann.get(`/v1/executions/${executionId(run)}`)).body).toEqual({
      ...execution,
      streaming_url: expect.stringContaining(execution?.lyceum_execution_id ?? "none"),
    });
  });

  it("a Python run has all of its artifacts stored", () => {
    for (const kind of ["record", "timing", "logs", "metrics"] as const)
      expect(run.artifacts[kind]).toMatchObject({ state: "stored", reason: null });
  });

  it("a Python run shows what it printed", async () => {
    const { status, body } = await artifact(run, "output");
    expect(status).toBe(200);
    expect(body).toMatchObject({ stdout: "X is 42\nLR 0.1\n", stderr: "", return_code: 0, run_id: run.id });
  });

  it("a Python run shows how its time was spent", async () => {
    expect((await artifact(run, "timing")).body).toMatchObject({ execution_id: executionId(run) });
    expect((await artifact(run, "timing")).text).toContain("executingJob");
  });

  it("a Python run shows its log as JSON lines", async () => {
    const { text, headers } = await artifact(run, "logs");
    expect(headers.get("Content-Type")).toBe("application/x-ndjson");
    expect([headers.get("X-Log-Complete"), headers.get("X-Log-Truncated")]).toEqual(["true", "false"]);
    const messages = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).message);
    expect(messages).toEqual(["X is 42", "LR 0.1"]);
  });

  it("a Python run shows its log as text", async () => {
    const { text, headers } = await artifact(run, "logs", { Accept: "text/plain" });
    expect(headers.get("Content-Type")).toContain("text/plain");
    expect(text).toMatch(/^\S+Z X is 42\n\S+Z LR 0\.1\n$/);
  });

  it("a Python run lists the received callback with its raw body", async () => {
    const { body } = await service.ann.get(`/v1/executions/${executionId(run)}/callbacks`);
    expect(body.next_cursor).toBeNull();
    expect(body.data).toHaveLength(1);
    expect(body.data[0]).toMatchObject({
      body_encoding: "utf8",
      truncated: false,
      content_type: "application/json",
    });
    expect(JSON.parse(body.data[0].body)).toEqual({
      execution_id: run.lyceum_execution_id,
      status: "completed",
    });
  });
});

describe("an image run", () => {
  let run: RunView;
  beforeAll(async () => {
    run = await service.run(
      image("delay=30", { env: { SEED: "7", MODE: "a=b" }, execution_type: "gpu.a100" }),
    );
  });

  it("an image run reaches Lyceum with its environment as lines and its hardware", () => {
    expect(received(run).body).toMatchObject({
      docker_image_ref: "busybox",
      docker_run_env: "SEED=7\nMODE=a=b",
      execution_type: "gpu.a100",
      enable_s3_mount: true,
      file_name: executionId(run),
    });
  });

  it("an image run shows its GPU metrics", async () => {
    expect(run.gpu).toMatchObject({
      hardware: "gpu.a100",
      utilization_percent: { samples: expect.any(Number) },
    });
    const { body } = await artifact(run, "metrics");
    expect(body.summary.series.gpu_utilization_percent).toMatchObject({ samples: expect.any(Number) });
    expect(body.document.gpuPowerWatt.length).toBeGreaterThan(0);
  });
});

describe("a Compose run", () => {
  it("a Compose run sends its Compose file to Lyceum unchanged and ends as succeeded", async () => {
    const run = await service.run({
      kind: "compose",
      compose_file_code: "services: {}\n",
      graceful_timeout: 5,
    });
    expect(run).toMatchObject({ status: "succeeded", kind: "compose", detected_by: "callback" });
    expect(received(run).body).toMatchObject({
      compose_file_code: "services: {}\n",
      enable_s3_mount: false,
      graceful_timeout: 5,
      execution_type: "cpu",
    });
  });
});

describe("a GPU selection", () => {
  it("a GPU selection is started without callback and hardware, and polling finds its end", async () => {
    await using polling = await startService();
    const run = await polling.run({ kind: "gpu_selection", code: "print(3)", env: { A: "1" } });
    expect(run).toMatchObject({ status: "succeeded", detected_by: "poll", execution_type: null });
    const [start] = polling.emulator.executions();
    expect(start?.kind).toBe("gpu_selection");
    expect(Object.keys(start?.body ?? {}).sort()).toEqual(["code", "file_name", "timeout"]);
  });
});

it("a run that fails says so, with its return code and what it printed", async () => {
  const run = await service.run({
    kind: "python",
    code: "import sys\nsys.stderr.write('no luck')\nsys.exit(3)\n",
  });
  expect(run).toMatchObject({ status: "failed", return_code: 3, error: { code: "failed" } });
  expect((await artifact(run, "output")).body).toMatchObject({ stderr: "no luck", return_code: 3 });
});

it("a job counts its runs by status, and fails if one of them failed", async () => {
  const { id } = await service.submit({
    name: "mixed",
    runs: [image(), image("exit=1")],
    metadata: { a: [1] },
  });
  await service.ended(id);
  expect((await service.ann.get(`/v1/jobs/${id}`)).body).toMatchObject({
    name: "mixed",
    status: "failed",
    counts: { queued: 0, active: 0, collecting: 0, succeeded: 1, failed: 1, cancelled: 0 },
    progress: 1,
    metadata: { a: [1] },
  });
});
