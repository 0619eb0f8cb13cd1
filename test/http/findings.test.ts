// A run's findings as callers see them, out of the metrics that were kept of its last execution.
import { expect, test } from "vitest";
import { summarizeMetrics } from "../../src/domain/metrics.ts";
import { viewRun } from "../../src/http/views/view.ts";
import { listArtifacts, saveArtifacts } from "../../src/store/artifacts.ts";
import { listExecutions } from "../../src/store/executions.ts";
import { findRun } from "../../src/store/runs.ts";
import { onSqlite } from "../support/databases.ts";
import { contextOf, live, submitted, tell } from "../support/scene.ts";

onSqlite("findings", (open) => {
  test.each([
    ["idle", 0, [{ code: "gpu_idle", detail: expect.stringContaining("0.4 credits"), cost: 0.4 }]],
    ["busy", 90, []],
  ])("a run whose GPU was %s shows the matching findings", async (_, value, findings) => {
    const database = await open();
    const { db } = database.store;
    const context = contextOf(database);
    await submitted(context, 1);
    const { run, execution } = await live(context);
    const snapshot = {
      status: "completed" as const,
      raw: "completed",
      timedOut: false,
      cost: 0.4,
      hardware: "gpu.a100",
    };
    await tell(context, execution.id, { type: "snapshot", by: "poll", askedAt: 0, snapshot });
    const samples = [0, 15, 30].map((seconds) => ({ at: seconds * 1_000, value }));
    const summary = summarizeMetrics({ gpuUtilizationPercent: samples });
    await saveArtifacts(db, [
      { executionId: execution.id, kind: "metrics", state: "stored", dueAt: null, tries: 1, summary },
    ]);
    const row = await findRun(db, run.id);
    if (row === null) throw new Error("the run is gone");
    const view = viewRun(row, await listExecutions(db, [run.id]), await listArtifacts(db, [execution.id]));
    expect(view).toMatchObject({ findings, gpu: { hardware: "gpu.a100", idle_share: value === 0 ? 1 : 0 } });
  });
});
