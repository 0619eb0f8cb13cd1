import { describe, expect, test } from "vitest";
import { readTime } from "../../src/lyceum/lenient-values.ts";
import { answers } from "../../src/lyceum/schema.ts";

describe("a timestamp", () => {
  const at = Date.UTC(2026, 7, 3, 9, 10, 11, 123);
  test.each([
    ["with Z", "2026-08-03T09:10:11.123456Z", at],
    ["with no zone, read as UTC", "2026-08-03T09:10:11.123456", at],
    ["with an offset", "2026-08-03T11:10:11.123+02:00", at],
    ["with an offset without a colon", "2026-08-03T11:10:11.123+0200", at],
    ["with a short offset", "2026-08-03T11:10:11.123+02", at],
    ["with a blank for the T", "2026-08-03 09:10:11.123", at],
    ["without a fraction", "2026-08-03T09:10:11Z", at - 123],
    ["with one digit of a fraction", "2026-08-03T09:10:11.1Z", at - 23],
    ["of a day", "2026-08-03", Date.UTC(2026, 7, 3)],
    ["in Loki's nanoseconds", `${at}000001`, at],
    ["in Unix seconds", (at - 123) / 1000, at - 123],
    ["in Unix seconds as text", String(at / 1000), at],
    ["in Unix milliseconds", at, at],
    ["in Unix microseconds", at * 1000, at],
    ["that is null", null, null],
    ["that is empty", "", null],
    ["that is no time", "yesterday", null],
    ["of an impossible day", "2026-13-45T09:10:11Z", null],
    ["that is an object", {}, null],
    ["that is Go's zero", "0001-01-01T00:00:00Z", null],
    ["that is beyond all times", 1e30, null],
    ["of the next century", "2100-01-01T00:00:00Z", null],
  ])("%s is read", (_, value, expected) => {
    expect(readTime(value)).toBe(expected);
  });
});

describe("a start's answer", () => {
  test("a start's answer is an id and a word", () => {
    const answer = {
      execution_id: "5d0b",
      status: "running",
      streaming_url: "https://x",
      pythia_decision: null,
    };
    expect(answers.start.parse(answer)).toEqual({
      executionId: "5d0b",
      word: "running",
      streamingUrl: "https://x/",
    });
  });

  test("a start's answer may leave out the status", () => {
    expect(answers.start.parse({ execution_id: "5d0b" })).toEqual({
      executionId: "5d0b",
      word: "pending",
      streamingUrl: null,
    });
  });

  test.each(["x", "javascript:alert(1)", "file:///etc/passwd", 7, `https://${"x".repeat(3_000)}`])(
    "has no streaming URL in %j",
    (streaming_url) => {
      expect(answers.start.parse({ execution_id: "5d0b", streaming_url }).streamingUrl).toBeNull();
    },
  );

  test.each([{}, null, [], "text", { execution_id: " " }, { execution_id: null }])(
    "%j has no id",
    (answer) => {
      expect(answers.start.safeParse(answer).success).toBe(false);
    },
  );
});

describe("a status", () => {
  test("a status is read with its errors as text or list", () => {
    expect(answers.status.parse({ status: "failed", errors: ["a", "b"] })).toEqual({
      executionId: null,
      word: "failed",
      errors: "a\nb",
    });
    expect(answers.status.parse({ status: "running" })).toEqual({
      executionId: null,
      word: "running",
      errors: null,
    });
  });

  test.each([{ status: 200 }, { status: null }, {}])("%j is none", (answer) => {
    expect(answers.status.safeParse(answer).success).toBe(false);
  });
});

describe("a record", () => {
  test.each([
    ["-1", -1],
    [2 ** 31 - 1, 2 ** 31 - 1],
    [2 ** 31, 2 ** 31],
    ["3221225477", 3221225477],
    [2 ** 32, null],
    [-(2 ** 31) - 1, null],
    [1.5, null],
    ["exit", null],
  ])("a record whose return code is %j tells %j", (return_code, returnCode) => {
    const record = { execution_id: "5d0b", status: "failed", return_code };
    expect(answers.record.parse(record).returnCode).toBe(returnCode);
  });

  const full = {
    execution_id: "5d0b",
    status: "completed",
    execution_type: "python code",
    hardware_profile: "cpu",
    file_name: "exe_x",
    created_at: "2026-09-01T08:00:00.120000+00:00",
    execelet_start: "2026-09-01T08:00:01Z",
    start_time: "2026-09-01T08:00:05Z",
    end_time: "2026-09-01T08:00:06Z",
    finish_time: "2026-09-01T08:00:06.400000",
    stdout: "45\n",
    stderr: "",
    combined_output: "45\n",
    return_code: "0",
    result: '{"a": [1.0]}',
    errors: null,
    errors_docker: "no image",
    billed: "0.0004",
    python_code: "SECRET",
    docker_run_env: "TOKEN=SECRET",
    docker_registry_credentials: { password: "SECRET" },
    s3_credentials: "SECRET",
    user_callback_url: "https://SECRET",
    user_id: "SECRET",
    metadata: { a: "SECRET" },
  };

  test("a record is read without its secrets", () => {
    const record = answers.record.parse(full);
    expect(JSON.stringify(record)).not.toContain("SECRET");
    expect(record).toMatchObject({
      executionId: "5d0b",
      word: "completed",
      fileName: "exe_x",
      hardwareProfile: "cpu",
      createdAt: Date.UTC(2026, 8, 1, 8, 0, 0, 120),
      finishTime: Date.UTC(2026, 8, 1, 8, 0, 6, 400),
      stdout: "45\n",
      stderr: "",
      returnCode: 0,
      result: '{"a": [1.0]}',
      errors: "no image",
      billed: 0.0004,
    });
  });

  test("a record needs no more than an id and a status", () => {
    const record = answers.record.parse({ execution_id: "5d0b", status: "x" });
    const { executionId, word, hasEnd, ...rest } = record;
    expect([executionId, word, hasEnd]).toEqual(["5d0b", "x", false]);
    expect(Object.values(rest).every((value) => value === null)).toBe(true);
  });

  test("a record takes the older names of times and cost", () => {
    const record = answers.record.parse({
      execution_id: "5d0b",
      status: "x",
      job_start: "2026-09-01T08:00:05Z",
      job_end: "2026-09-01T08:00:06Z",
      amount_billed: 2,
    });
    expect(record.endTime).toBe((record.startTime ?? 0) + 1000);
    expect(record.billed).toBe(2);
  });

  test("a record with deeply nested errors is still read", () => {
    const errors = JSON.parse(`${"[".repeat(50_000)}${"]".repeat(50_000)}`);
    expect(answers.record.parse({ execution_id: "5d0b", status: "x", errors }).errors).toBe(null);
  });
});

describe("lists", () => {
  const row = { execution_id: "a", status: "running" };

  test.each([
    ["bare", [row]],
    ["under executions", { executions: [row] }],
    ["under data", { data: [row] }],
    ["under workloads", { workloads: [row] }],
    ["under items", { items: [row] }],
  ])("lists of workloads are read %s", (_, answer) => {
    expect(answers.workloads.parse(answer)).toMatchObject([{ executionId: "a", word: "running" }]);
  });

  test("lists keep what can be read when one row cannot", () => {
    expect(answers.workloads.parse([null, { status: "x" }, row])).toHaveLength(1);
  });

  test.each([null, {}, "text", { executions: "none" }])("are not made of %j", (answer) => {
    expect(answers.workloads.safeParse(answer).success).toBe(false);
    expect(answers.history.safeParse(answer).success).toBe(false);
  });

  test("lists of history carry the total if there is one", () => {
    expect(answers.history.parse({ executions: [row], total_executions: "7" })).toMatchObject({
      total: 7,
    });
    expect(answers.history.parse([row])).toMatchObject({ total: null, rows: [{ executionId: "a" }] });
  });

  test("lists of machine types and profiles are read in every known form", () => {
    const types = { machine_types: [{ hardware_profile: "cpu", price_per_hour: "0.1" }, { other: 1 }] };
    expect(answers.machineTypes.parse(types)).toEqual([{ hardwareProfile: "cpu", pricePerHour: 0.1 }]);
    const profiles = { available_hardware_profiles: ["cpu", { hardware_profile: "gpu.a100" }, null] };
    expect(answers.availableHardware.parse(profiles)).toEqual(["cpu", "gpu.a100"]);
  });
});

describe("the document of an artifact", () => {
  test("a GPU selection may say nothing of its sub-jobs", () => {
    expect(answers.gpuSelection.parse({ status: "running" })).toEqual({
      executionId: null,
      word: "running",
      subJobs: [],
    });
    const answer = {
      status: "running",
      sub_jobs: [{ execution_id: "b1", hardware_profile: "gpu", status: "completed" }],
    };
    expect(answers.gpuSelection.parse(answer).subJobs).toEqual([
      { executionId: "b1", word: "completed", hardwareProfile: "gpu" },
    ]);
  });

  test("a GPU selection is read under whatever names its parts stand", () => {
    const job = { execution_id: "b1", status: "running", hardware_profile: "gpu" };
    const subJobs = [{ executionId: "b1", word: "running", hardwareProfile: "gpu" }];
    const parent = { execution_id: "a", status: "running" };
    for (const [answer, expected] of [
      [
        { parent, sub_jobs: [job, { execution_id: ".." }] },
        { executionId: "a", word: "running", subJobs },
      ],
      [{ parent: { ...parent, children: [job] } }, { executionId: "a", word: "running", subJobs }],
      [
        { execution_id: "a", jobs: [job] },
        { executionId: "a", word: null, subJobs },
      ],
      [
        { children: [job], status: 7 },
        { executionId: null, word: null, subJobs },
      ],
    ])
      expect(answers.gpuSelection.parse(answer)).toEqual(expected);
    for (const answer of [{}, { detail: "boom" }, [], null])
      expect(answers.gpuSelection.safeParse(answer).success).toBe(false);
  });

  test.each([{ detail: "boom" }, { error: "boom" }, { status: "error", message: "boom", error: {} }])(
    "an error in place of a document is none: %j",
    (answer) => {
      for (const due of [answers.timing, answers.metrics, answers.logs, answers.ending])
        expect(due.safeParse({ ...answer, status: undefined, message: undefined }).success).toBe(false);
    },
  );

  test("timing keeps Lyceum's numbers and phases", () => {
    const phases = { boot: { start_time: "2026-09-01T08:00:05Z", end_time: null, duration: "2" } };
    const timing = answers.timing.parse({
      execution_id: "5d0b",
      timing: { queued: 2.1, total: "6.1", phases },
    });
    expect(timing.durations).toEqual({ queued: 2.1, total: 6.1 });
    expect(timing.phases.boot).toEqual({
      startTime: Date.UTC(2026, 8, 1, 8, 0, 5),
      endTime: null,
      duration: 2,
    });
  });

  test("metrics keep every series, and drop points that cannot be read", () => {
    const point = { timestamp: "2026-09-01T08:00:20Z", value: "71.5" };
    const metrics = answers.metrics.parse({
      hostname: "n",
      timeRange: { start: "2026-09-01T08:00:05Z" },
      gpuUtilizationPercent: [
        point,
        { timestamp: "?", value: 1 },
        ...["", "NaN", "n/a", null, Number.POSITIVE_INFINITY, true, [1]].map((value) => ({
          ...point,
          value,
        })),
        null,
      ],
      somethingNew: [],
    });
    expect(metrics.series.gpuUtilizationPercent).toEqual([
      { at: Date.UTC(2026, 8, 1, 8, 0, 20), value: 71.5 },
    ]);
    expect(metrics.series.somethingNew).toEqual([]);
    expect(metrics.endTime).toBe(null);
  });

  test("a log entry keeps a timestamp that cannot be read, and no user id", () => {
    const entry = {
      timestamp: "soon",
      message: "45",
      level: null,
      user_id: "u-1",
      labels: { stream: "stdout", n: 1 },
    };
    expect(answers.logs.parse({ logs: [entry, { message: 1 }], total: 9 })).toEqual({
      executionIds: [],
      entries: [
        {
          timestamp: "soon",
          message: "45",
          level: null,
          hostname: null,
          labels: { stream: "stdout" },
        },
      ],
      total: 9,
    });
  });

  test("an ending may say anything or nothing", () => {
    expect(answers.ending.parse(null)).toEqual({ word: null, message: null });
    const answer = { message: "Execution aborted", status: "aborted" };
    expect(answers.ending.parse(answer)).toEqual({ word: "aborted", message: "Execution aborted" });
  });
});
