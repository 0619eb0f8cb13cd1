// The gauges of the service's state, as one round of their worker reads them.
import { expect, test } from "vitest";
import { receiveCallback } from "../../src/orchestration/receive-callback.ts";
import { takePlaces } from "../../src/store/places.ts";
import { readDepths, saveDepths } from "../../src/store/queue-stats.ts";
import { savePause } from "../../src/store/rate-limit-pauses.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { createStateMetricsReader } from "../../src/workers/state-metrics.ts";
import { eachDatabase } from "../support/databases.ts";
import { claimed, contextOf, ended, live, read, submitted, tell } from "../support/scene.ts";

eachDatabase("a round of the state metrics", (open, kind) => {
  test("a round of the state metrics shows what is unfinished, its age, what today cost and the size of the database", async () => {
    const database = await open();
    const context = contextOf(database);
    const { time } = database;
    await submitted(context, 6);
    await ended(context, "completed");
    const collecting = await live(context);
    await tell(context, collecting.execution.id, read("completed"));
    const inDoubt = await claimed(context);
    await tell(context, inDoubt.execution.id, { type: "outcome_unknown", detail: "reset" });
    await live(context);
    await receiveCallback(context, {
      executionId: "exe_x",
      contentType: null,
      body: Buffer.of(),
      truncated: false,
    });
    time.pass(90_000);
    const priced = await live(context);
    const snapshot = { status: "completed", raw: "completed", timedOut: false, cost: 1.5 } as const;
    await tell(context, priced.execution.id, { type: "snapshot", by: "poll", askedAt: 0, snapshot });

    const metrics = createMetrics();
    const now = () => time.now();
    const sharedLimits = { limit: { max: 5, windowMs: 3_600_000 }, concurrency: 8 };
    const { db } = database.store;
    await takePlaces(db, "execution", ["exe_here", "exe_elsewhere"], now());
    await savePause(db, { bucket: "execution", until: now() + 2_500 }, now());
    const worker = createStateMetricsReader(
      { ...context, sharedLimits },
      {
        metrics: metrics.state,
        countInstances: async () => 3,
        now,
      },
    );
    // As the instance does that counts for all.
    await saveDepths(db, await readDepths(db));
    expect(await worker.runOnce()).toBeGreaterThan(now());

    const text = await metrics.registry.metrics();
    for (const series of [
      'proctor_runs{status="queued"} 1',
      'proctor_runs{status="active"} 2',
      'proctor_runs{status="collecting"} 2',
      "proctor_in_doubt_executions 1",
      "proctor_oldest_waiting_seconds 90",
      'proctor_cost_today_credits{source="billed"} 1.5',
      'proctor_limit_remaining{bucket="execution"} 3',
      'proctor_pause_seconds{bucket="execution"} 2.5',
      'proctor_cost_today_credits{source="estimated"} 0',
      "proctor_webhook_backlog 0",
      "proctor_inbox_callbacks 1",
      "proctor_inbox_oldest_seconds 90",
      "proctor_instances 3",
    ])
      expect(text).toContain(`${series}\n`);
    expect(text).toMatch(/proctor_database_bytes [1-9]\d{4}/);
    expect(text).toMatch(kind === "sqlite" ? /proctor_wal_bytes [1-9]\d{3}/ : /proctor_wal_bytes 0\n/);
  });
});

test("the process's own state has one series for each word, and none for a limit that is not known", async () => {
  const { state, registry } = createMetrics();
  const buckets = { execution: { remaining: 7, pausedMs: 0 }, read: { remaining: null, pausedMs: 1_500 } };
  const backup = { ageMs: 90_000, bytes: 4_096, intervalMs: 3_600_000 };
  state.setProcessState({ circuit: "half_open", callbackMode: "unproven", buckets, openStreams: 4, backup });
  const text = await registry.metrics();
  for (const series of [
    'proctor_circuit{state="half_open"} 1',
    'proctor_circuit{state="closed"} 0',
    'proctor_callback_health{state="unproven"} 1',
    'proctor_limit_remaining{bucket="execution"} 7',
    'proctor_pause_seconds{bucket="read"} 1.5',
    "proctor_open_streams 4",
    "proctor_backup_age_seconds 90",
    "proctor_backup_bytes 4096",
    "proctor_backup_interval_seconds 3600",
  ])
    expect(text).toContain(`${series}\n`);
  expect(text).not.toContain('proctor_limit_remaining{bucket="read"}');
});
