// The history is read for bills that records lack: one page for many executions, and never too often.
import { expect, test } from "vitest";
import type { Execution, Snapshot } from "../../../src/domain/execution.ts";
import type { LyceumClient } from "../../../src/lyceum/client.ts";
import { createBills } from "../../../src/workers/collect/bills.ts";
import { anExecution, NOW } from "../../domain/scene.ts";

const minute = 60_000;

function scene() {
  let reads = 0;
  let at = NOW;
  const lyceum = {
    async history() {
      reads += 1;
      const rows = [1, 2, 3].map((n) => ({ executionId: `L${n}`, billed: n / 10 }));
      return { type: "ok", value: { rows, count: rows.length, total: null } };
    },
  } as unknown as LyceumClient;
  const bills = createBills(lyceum, () => at);
  const snapshot: Snapshot = { status: "completed", raw: "completed", timedOut: false, cost: 0 };
  return {
    pass: (ms: number) => {
      at += ms;
    },
    reads: () => reads,
    settle: (lyceumExecutionId: string, changes: Partial<Execution> = {}, more: Partial<Snapshot> = {}) => {
      const times = { startedAt: at - minute, endedAt: at, detectedAt: at - 10_000 };
      return bills.complete(anExecution({ lyceumExecutionId, ...times, ...changes }), {
        ...snapshot,
        ...more,
      });
    },
  };
}

test("executions that ended before a page was read share it", async () => {
  const { settle, reads, pass } = scene();
  const settled = await Promise.all(["L1", "L2", "L3"].map((id) => settle(id)));
  expect(settled.map(({ cost, costSource }) => [cost, costSource])).toEqual([
    [0.1, "billed"],
    [0.2, "billed"],
    [0.3, "billed"],
  ]);
  expect(reads()).toBe(1);
  pass(11_000);
  await settle("L1");
  expect(reads()).toBe(2);
});

test("no more than thirty pages are read an hour, however many ask", async () => {
  const { settle, reads, pass } = scene();
  for (let n = 0; n < 100; n++) {
    await settle("L1");
    pass(30_000);
  }
  expect(reads()).toBe(30);
  pass(60 * minute);
  await settle("L1");
  expect(reads()).toBe(31);
});

test("an estimate made of sub-jobs that is higher than the selection's own bill stays", async () => {
  const { settle } = scene();
  const estimate = { cost: 5, costSource: "estimated" } as const;
  expect(await settle("L1", {}, estimate)).toMatchObject(estimate);
  expect(await settle("L1", {}, { ...estimate, cost: 0.05 })).toMatchObject({
    cost: 0.1,
    costSource: "billed",
  });
});

test("nobody is asked about an execution whose bill is there", async () => {
  const { settle, reads } = scene();
  expect(await settle("L1", {}, { cost: 0.7 })).toMatchObject({ cost: 0.7 });
  expect(reads()).toBe(0);
});
