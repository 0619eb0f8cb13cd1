// POST /v1/jobs reports every fault of a submission at once, by pointer, with the way out.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { image, type Json, type Service, startService } from "../support/service.ts";

let service: Service;
beforeAll(async () => {
  service = await startService();
  service.network.lyceumIsUp = false;
});
afterAll(() => service.close());

const python = (more: object = {}) => ({ kind: "python", code: "print(1)", ...more });
const container = (more: object = {}) => image("", more);

/** Pointer to detail. */
async function complaints(body: object): Promise<Record<string, string>> {
  const answer = await service.ann.post("/v1/jobs", body);
  expect(answer, answer.text).toMatchObject({
    status: 422,
    body: { type: "urn:proctor:problem:validation-failed" },
  });
  return Object.fromEntries(answer.body.errors.map((error: Json) => [error.pointer, error.detail]));
}

const ofRun = (run: object) => complaints({ runs: [run] });

describe("invalid fields", () => {
  it("all invalid fields are reported at once by pointer, from the job down to its runs", async () => {
    const found = await complaints({
      name: "",
      nmae: "x",
      priority: "high",
      retry: { max_attempts: 0, on: ["rain"] },
      runs: [
        python({ timeout: 0, colour: 1 }),
        { kind: "python" },
        container({ env: { "1A": "x" } }),
        { kind: "cobol" },
        7,
      ],
    });
    expect(Object.keys(found).sort()).toEqual([
      "/name",
      "/nmae",
      "/priority",
      "/retry/max_attempts",
      "/retry/on/0",
      "/runs/0/colour",
      "/runs/0/timeout",
      "/runs/1/code",
      "/runs/2/env/1A",
      "/runs/3/kind",
      "/runs/4",
    ]);
    expect(found["/runs/1/code"]).toBe("is required");
    expect(found["/runs/2/env/1A"]).toContain("does not begin with a digit");
    expect(found["/runs/3/kind"]).toContain("python, image, compose, gpu_selection");
  });

  it("an invalid field is reported beside two spellings of the same field", async () => {
    const run = python({ files: { "a.py": "" }, import_files: "{}", timeout: 601 });
    expect(Object.keys(await ofRun(run)).sort()).toEqual(["/runs/0/import_files", "/runs/0/timeout"]);
  });

  it("pointers are escaped as RFC 6901 requires", async () => {
    expect(Object.keys(await ofRun(python({ "a/b~c": 1 })))).toEqual(["/runs/0/a~1b~0c"]);
  });

  it("a body full of mistakes gets a bounded answer", async () => {
    const answer = await service.ann.post("/v1/jobs", {
      runs: Array.from({ length: 5_000 }, () => ({ kind: 1 })),
    });
    expect(answer.status).toBe(422);
    expect(answer.body.errors.length).toBeLessThanOrEqual(200);
  });
});

describe("an unknown field", () => {
  it.each([
    ["machine_type", "execution_type"],
    ["file_name", "name"],
    ["user_callback_urls", "webhook"],
    ["requirements", "requirements_content"],
    ["timeout_s", "timeout"],
  ])("the unknown field %s is refused by name, with a hint to %s", async (field, hint) => {
    const found = await ofRun(python({ [field]: "x" }));
    expect(Object.keys(found)).toEqual([`/runs/0/${field}`]);
    expect(found[`/runs/0/${field}`]).toContain("not a known field");
    expect(found[`/runs/0/${field}`]).toContain(hint);
  });

  it("a field of another kind is refused", async () => {
    expect(Object.keys(await ofRun({ kind: "gpu_selection", code: "1", execution_type: "cpu" }))).toEqual([
      "/runs/0/execution_type",
    ]);
    expect(Object.keys(await ofRun(python({ docker_run_cmd: [] })))).toEqual(["/runs/0/docker_run_cmd"]);
    expect(Object.keys(await ofRun({ kind: "compose", compose_file_code: "x", env: {} }))).toEqual([
      "/runs/0/env",
    ]);
  });

  it("a field named like a property of every object is refused", async () => {
    const found = await complaints(
      JSON.parse('{"runs":[{"kind":"python","code":"1","constructor":1}],"toString":1}'),
    );
    expect(Object.keys(found).sort()).toEqual(["/runs/0/constructor", "/toString"]);
  });
});

describe("bounds", () => {
  const refused: [string, object][] = [
    ["timeout", python({ timeout: 0 })],
    ["timeout", python({ timeout: 601 })],
    ["timeout", python({ timeout: 1.5 })],
    ["timeout", python({ timeout: "60" })],
    ["execution_type", python({ execution_type: "gpu a100" })],
    ["execution_type", python({ execution_type: "" })],
    ["execution_type", python({ execution_type: "gpu.a100\n" })],
    ["code", python({ code: "" })],
    ["nbcode", python({ nbcode: 2 })],
    ["env/", python({ env: { "": "x" } })],
    ["env/A B", python({ env: { "A B": "x" } })],
    ["env/A", python({ env: { A: 1 } })],
    ["env/A", container({ env: { A: "two\nlines" } })],
    ["env/A", container({ env: { A: "two\rlines" } })],
    ["docker_run_env", container({ env: { A: "1" }, docker_run_env: "B=2" })],
    ["docker_registry_credential_type", container({ docker_registry_credential_type: "magic" })],
    ["graceful_timeout", container({ graceful_timeout: 301 })],
    ["enable_s3_mount", container({ enable_s3_mount: "yes" })],
    ["files/..~1up.py", python({ files: { "../up.py": "" } })],
    ["files/a~1..~1..~1b", python({ files: { "a/../../b": "" } })],
    ["files/~1etc~1passwd", python({ files: { "/etc/passwd": "" } })],
    ["files/a\\b", python({ files: { "a\\b": "" } })],
    ["files/a.py", python({ files: { "a.py": 1 } })],
    ["import_files", python({ files: { "a.py": "" }, import_files: "{}" })],
    ["name", python({ name: "x".repeat(201) })],
    ["name", python({ name: "nul\u0000" })],
    ["extra", python({ extra: [] })],
    ["extra/file_name", python({ extra: { file_name: "x" } })],
    ["extra/user_callback_urls", python({ extra: { user_callback_urls: [] } })],
    ["extra/machine_type", python({ extra: { machine_type: "gpu" } })],
    ["extra/timeout", python({ extra: { timeout: 9_999 } })],
    ["extra/import_files", python({ extra: { import_files: "{}" } })],
    ["extra/docker_password", container({ extra: { docker_password: "x" } })],
    ["extra/docker_run_env", container({ extra: { docker_run_env: "A=1" } })],
  ];
  it.each(refused)("the limit of a run's %s is enforced", async (field, run) => {
    expect(Object.keys(await ofRun(run))).toEqual([`/runs/0/${field}`]);
  });

  const refusedOfJob: [string, object][] = [
    ["/name", { name: "x".repeat(201) }],
    ["/name", { name: "nul\u0000" }],
    ["/max_parallel", { max_parallel: 0 }],
    ["/priority", { priority: 1_001 }],
    ["/deadline_s", { deadline_s: 0 }],
    ["/on_lost", { on_lost: "panic" }],
    ["/on_run_failure", { on_run_failure: "stop" }],
    ["/retry/max_attempts", { retry: { max_attempts: 21 } }],
    ["/retry/often", { retry: { often: true } }],
    ["/runs", { runs: [] }],
    ["/runs", { runs: {} }],
  ];
  it.each(refusedOfJob)("the limit of a job's %s is enforced", async (pointer, change) => {
    expect(Object.keys(await complaints({ runs: [python()], ...change }))).toEqual([pointer]);
  });

  it("a job with 10,001 runs is refused", async () => {
    const found = await complaints({ runs: Array.from({ length: 10_001 }, () => python()) });
    expect(Object.keys(found)).toEqual(["/runs"]);
    expect(found["/runs"]).toContain("10000");
  });

  const letters = (count: number) => "x".repeat(count);
  const fields = (count: number, value: unknown) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`A${n}`, value]));
  const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
  const excesses: [string, string, object][] = [
    ["of a matrix's names", "/runs/0/matrix", { runs: [python({ matrix: fields(33, ["1"]) })] }],
    [
      "of the size of a matrix's combinations",
      "/runs/0/matrix",
      {
        runs: [
          python({ matrix: { A: [letters(200_000)], B: Array.from({ length: 100 }, (_, n) => `${n}`) } }),
        ],
      },
    ],
    ["of an object's fields", "/runs/0/env", { runs: [python({ env: fields(1_001, "1") })] }],
    ["of a list's entries", "/metadata", { runs: [python()], metadata: Array(10_001).fill(1) }],
    ["of depth", `/metadata${"/0".repeat(63)}`, { runs: [python()], metadata: nested(100) }],
    ["of metadata", "/metadata", { runs: [python()], metadata: letters(16 * 1024 - 1) }],
    [
      "of a run's values",
      "/runs/1",
      { runs: [python(), python({ extra: { a: Array(9_000).fill(1), b: Array(9_000).fill(1) } })] },
    ],
  ];
  it.each(excesses)("the limit %s is enforced", async (_, pointer, body) => {
    expect(Object.keys(await complaints(body))).toEqual([pointer]);
  });

  it.each([
    ["/runs/0/env/A", '{"kind": "python", "code": "1", "env": {"A": "a\\u0000b"}}'],
    ["/runs/0/env/A", '{"kind": "python", "code": "1", "env": {"A": "a\\ud800b"}}'],
    ["/runs/0/matrix/A/1", '{"kind": "python", "code": "1", "matrix": {"A": ["1", "\\u0000"]}}'],
    ["/runs/0/import_files", '{"kind": "python", "code": "1", "import_files": "nope"}'],
    ["/runs/0/import_files", '{"kind": "python", "code": "1", "import_files": "[]"}'],
    ["/runs/0/env/__proto__", '{"kind": "python", "code": "1", "env": {"__proto__": "x"}}'],
    ["/runs/0/extra/__proto__", '{"kind": "python", "code": "1", "extra": {"__proto__": {"a": 1}}}'],
  ])("the limit of what fits into a request to Lyceum is enforced: %s of %s", async (pointer, run) => {
    const answer = await service.ann.post("/v1/jobs", `{"runs": [${run}]}`);
    expect(answer.body.errors, answer.text).toMatchObject([{ pointer }]);
  });

  it("the answer is bounded, however many fields of however many runs are invalid", async () => {
    const runs = Array.from({ length: 2_000 }, () => python({ env: fields(200, 1) }));
    expect(Object.keys(await complaints({ runs }))).toHaveLength(200);
  });

  it("the number of a run's values is checked before the values are", async () => {
    const matrix = Object.fromEntries(Array.from({ length: 32 }, (_, n) => [`A${n}`, Array(10_000).fill(1)]));
    expect(Object.keys(await complaints({ runs: [python({ matrix })] }))).toEqual(["/runs/0"]);
  });

  it("the limits do not hide a mistake in a late run", async () => {
    const runs = Array.from({ length: 300 }, (_, n) => python(n % 290 === 289 ? { timeout: 0 } : {}));
    expect(Object.keys(await complaints({ runs, name: "" }))).toEqual(["/name", "/runs/289/timeout"]);
  });

  it("the limit of all matrices together is enforced", async () => {
    const runs = [python({ matrix: { A: ["1", "2"] } }), ...Array.from({ length: 9_999 }, () => python())];
    expect(Object.keys(await complaints({ runs }))).toEqual(["/runs/0/matrix"]);
  });

  it("values at the limits are accepted, and null where Lyceum takes null", async () => {
    const edges = [
      python({ timeout: 1, files: { "a/b..c/d.py": "" }, env: { _: "two\nlines", A1: "" } }),
      python({
        timeout: 600,
        execution_type: "gpu.A_100",
        name: null,
        nbcode: null,
        env: null,
        extra: { later: 1 },
      }),
      container({ docker_run_env: "A=1", graceful_timeout: 300, docker_password: null }),
      { kind: "gpu_selection", code: "1" },
    ];
    const answer = await service.ann.post("/v1/jobs", {
      runs: edges,
      name: null,
      max_parallel: 10_000,
      priority: -1_000,
    });
    expect(answer, answer.text).toMatchObject({ status: 202, body: { counts: { queued: 4 } } });
  });
});

it("a submitted job is answered with its location and its defaults", async () => {
  const answer = await service.ann.post("/v1/jobs", { runs: [python()] });
  expect(answer.headers.get("Location")).toBe(`/v1/jobs/${answer.body.id}`);
  expect(answer.body).toMatchObject({
    id: expect.stringMatching(/^job_[0-9a-z]{26}$/),
    status: "queued",
    name: null,
    metadata: null,
    priority: 0,
    max_parallel: null,
    on_run_failure: "continue",
    on_lost: "fail",
    retry: { max_attempts: 3, on: [] },
    deadline_at: null,
    ended_at: null,
    progress: 0,
  });
});

it.each([[null], [0], [false], [""], [[]], [{ a: { b: [1, "\u0000", "\ud800"] } }]])(
  "the metadata %j is returned unchanged",
  async (metadata) => {
    const { id } = await service.submit({ runs: [python()], metadata });
    expect((await service.ann.get(`/v1/jobs/${id}`)).body.metadata).toEqual(metadata);
  },
);
