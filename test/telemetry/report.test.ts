import { expect, test } from "vitest";
import { createLogger } from "../../src/telemetry/logger.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { createReport } from "../../src/telemetry/report.ts";

function listen(level = "debug") {
  const lines: Record<string, unknown>[] = [];
  const log = createLogger(level, { write: (line) => lines.push(JSON.parse(line)) });
  const metrics = createMetrics();
  return { lines, log, metrics, report: createReport(log, metrics) };
}

test("a line is JSON with the time in UTC and the level as a word", () => {
  const { lines, log } = listen();
  log.info({ job_id: "job_1" }, "hello");
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  expect(lines).toEqual([{ level: "info", time, job_id: "job_1", msg: "hello" }]);
});

test("what may be a secret is masked at any depth", () => {
  const { lines, log } = listen();
  log.warn({
    headers: { Authorization: "Bearer t0p" },
    runs: [{ spec: { docker_password: "t0p", env: { TOKEN: "t0p" }, code: "print()" } }],
  });
  expect(JSON.stringify(lines)).not.toContain("t0p");
  expect(lines[0]).toMatchObject({ runs: [{ spec: { docker_password: "[secret]", code: "print()" } }] });
});

test("an error is logged without what a library hung onto it", () => {
  const { lines, log } = listen();
  const request = { headers: { "x-signature": "t0p" } };
  log.error(
    Object.assign(new Error("reset", { cause: Object.assign(new Error("why"), { request }) }), { request }),
  );
  expect(JSON.stringify(lines)).not.toContain("t0p");
  expect(lines[0]).toMatchObject({ msg: "reset", err: { name: "Error", message: "reset", cause: "why" } });
});

test("a cyclic object is cut and does not stop the line", () => {
  const { lines, log } = listen();
  const loop: Record<string, unknown> = {};
  loop.self = loop;
  log.info({ loop });
  expect(JSON.stringify(lines)).toContain("[deep]");
});

test("each event is one line and its numbers, and no id becomes a label", async () => {
  const { lines, metrics, report } = listen();
  report.jobSubmitted({ jobId: "id_1", runs: 3, key: "worker" });
  report.executionStarted({ jobId: "id_1", executionId: "id_2", runId: "id_3", kind: "python", attempt: 1 });
  report.submission({
    jobId: "id_1",
    runId: "id_3",
    executionId: "id_2",
    outcome: "refused",
    detail: "x".repeat(5000),
  });
  report.callback({ jobId: "id_1", executionId: "id_2", disposition: "early" });
  report.check({ jobId: "id_1", executionId: "id_2", cause: "callback", word: "completed" });
  report.ended({
    jobId: "id_1",
    runId: "id_3",
    executionId: "id_2",
    key: "worker",
    status: "succeeded",
    error: null,
    reason: null,
    attempts: 1,
    phases: {
      queued: { from: 0, to: 10 },
      submitting: { from: 10, to: 30 },
      pending: null,
      running: null,
      noticing: { from: 300, to: 1_000 },
      collecting: { from: 1_000, to: 1_400 },
    },
    cost: 0.5,
    costSource: "billed",
    detectedBy: "callback",
    delayMs: 700,
  });
  report.orphan({ jobId: "id_1", executionId: "id_2", lyceumExecutionId: "id_4" });
  report.lyceumCall({ endpoint: "start_python", outcome: "accepted", durationMs: 80 });
  report.httpRequest({
    requestId: "id_5",
    route: "/v1/jobs",
    method: "POST",
    status: 202,
    reason: null,
    durationMs: 4,
    key: "worker",
  });
  report.levels({ queued: 2, live: 1, withoutWakeup: 1 });

  expect(lines).toHaveLength(10);
  expect(lines[2]).toMatchObject({
    level: "warn",
    event: "submission",
    execution_id: "id_2",
    outcome: "refused",
  });
  expect(lines.find(({ event }) => event === "run_ended")).toMatchObject({
    job_id: "id_1",
    run_id: "id_3",
    execution_id: "id_2",
    key_name: "worker",
    status: "succeeded",
    queued_ms: 10,
    submitting_ms: 20,
    pending_ms: null,
    noticing_ms: 700,
    collecting_ms: 400,
    cost: 0.5,
  });
  expect(String(lines[2]?.detail)).toHaveLength(300);
  const exposed = await metrics.registry.metrics();
  expect(exposed).not.toContain("id_");
  for (const series of [
    "proctor_jobs_submitted_total 1",
    'proctor_executions_started_total{kind="python"} 1',
    'proctor_submissions_total{outcome="refused"} 1',
    'proctor_callbacks_total{disposition="early"} 1',
    'proctor_callbacks_total{disposition="rejected"} 0',
    'proctor_checks_total{cause="callback"} 1',
    'proctor_runs_ended_total{status="succeeded"} 1',
    'proctor_detection_delay_seconds_sum{detected_by="callback"} 0.7',
    "proctor_orphans_total 1",
    'proctor_lyceum_calls_total{endpoint="start_python",outcome="accepted"} 1',
    'proctor_lyceum_call_seconds_count{endpoint="start_python"} 1',
    'proctor_http_requests_total{route="/v1/jobs",method="POST",status="202"} 1',
    'proctor_http_request_seconds_count{route="/v1/jobs"} 1',
    "proctor_queue_depth 2",
    "proctor_live_executions 1",
    "proctor_rows_without_wakeup 1",
  ])
    expect(exposed).toContain(`${series}\n`);
});

test("two sets of metrics do not share numbers, and the process can be measured too", async () => {
  const one = createMetrics();
  const other = createMetrics({ process: true });
  one.orphans.inc();
  expect(await other.registry.metrics()).toMatch(/proctor_orphans_total 0\n.*process_cpu/s);
});

test("paused starts are one line when they begin, change their reason and end, and a gauge by reason", async () => {
  const { lines, metrics, report } = listen();
  const pause = { reason: "unknown", detail: "502", since: 1, failures: 0, probeAt: 2 } as const;
  report.startsPaused(pause, null);
  report.startsPaused({ ...pause, failures: 1 }, pause);
  report.startsPaused({ ...pause, reason: "unavailable" }, pause);
  const text = await metrics.registry.metrics();
  expect(text).toContain('proctor_starts_paused{reason="unavailable"} 1');
  expect(text).toContain('proctor_starts_paused{reason="unknown"} 0');
  report.startsPaused(null, { ...pause, reason: "unavailable" });
  expect(lines.map(({ event, level, reason }) => [event, level, reason])).toEqual([
    ["starts_paused", "warn", "unknown"],
    ["starts_paused", "warn", "unavailable"],
    ["starts_resumed", "info", "unavailable"],
  ]);
  expect(await metrics.registry.metrics()).not.toMatch(/proctor_starts_paused\S+ 1/);
});
