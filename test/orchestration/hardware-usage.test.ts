// Costs by hardware, and the time in which its GPUs were idle.
import { expect, it } from "vitest";
import { summarizeMetrics } from "../../src/domain/metrics.ts";
import { saveArtifacts } from "../../src/store/artifacts.ts";
import { readUsage } from "../../src/store/usage.ts";
import { eachDatabase } from "../support/databases.ts";
import { contextOf, live, submitted, tell } from "../support/scene.ts";

const days = { from: "2000-01-01", to: "2100-01-01", apiKey: null };

eachDatabase("usage by hardware", (open) => {
  /** Takes a run to its end at Lyceum: ten seconds for 0.4 credits. */
  async function ranOn(hardware: string, utilization: number[]) {
    const database = await open();
    const { db } = database.store;
    const context = contextOf(database);
    await submitted(context, 1);
    const { execution } = await live(context);
    const snapshot = {
      status: "completed" as const,
      raw: "completed",
      timedOut: false,
      startedAt: 1_000,
      endedAt: 11_000,
      cost: 0.4,
    };
    const end = (named: string | undefined) =>
      ({ type: "snapshot", by: "poll", askedAt: 0, snapshot: { ...snapshot, hardware: named } }) as const;
    await tell(context, execution.id, end(undefined));
    const before = await readUsage(db, "hardware", days);
    const samples = utilization.map((value, index) => ({ at: index * 1_000, value }));
    const summary = summarizeMetrics({ gpuUtilizationPercent: samples });
    const stored = { executionId: execution.id, state: "stored", dueAt: null, tries: 1 } as const;
    await saveArtifacts(db, [{ ...stored, kind: "metrics", summary }]);
    await tell(context, execution.id, {
      type: "collected",
      record: { ...snapshot, hardware },
    });
    return { before, after: await readUsage(db, "hardware", days), db };
  }

  it("usage by hardware moves to the profile that Lyceum names after the end", async () => {
    const { before, after, db } = await ranOn("gpu.a100", [90, 90]);
    const spent = { executions: 1, durationMs: 10_000, billedNano: 400_000_000, idleMs: 0 };
    expect(before).toMatchObject([{ group: "cpu", ...spent }]);
    expect(after).toMatchObject([
      { group: "cpu", executions: 0, durationMs: 0, billedNano: 0 },
      { group: "gpu.a100", ...spent },
    ]);
    expect(await readUsage(db, "day", days)).toMatchObject([{ executions: 1, billedNano: 400_000_000 }]);
  });

  it("usage by hardware counts the idle share of the duration once the metrics are there", async () => {
    const { after } = await ranOn("cpu", [0, 0, 0, 90]);
    expect(after).toMatchObject([{ group: "cpu", idleMs: 7_500 }]);
  });

  it("usage by hardware does not judge a GPU by a single sample", async () => {
    const { after } = await ranOn("cpu", [0]);
    expect(after).toMatchObject([{ group: "cpu", idleMs: 0 }]);
  });
});
