// Strays: pages, counts, and what they cost on which day.
import { expect, test } from "vitest";
import { countStrays, listStrays, type Stray, saveStrays, spentByStrays } from "../../src/store/strays.ts";
import { eachDatabase } from "../support/databases.ts";

const DAY_MS = 86_400_000;
const stray: Stray = {
  execution_id: "exe_1",
  lyceum_execution_id: "a",
  file_name: null,
  raw_status: "completed",
  hardware: null,
  found_at: 5 * DAY_MS,
  started_at: DAY_MS,
  ended_at: DAY_MS + 60_000,
  cost: 0.5,
  cost_source: "billed",
  due_at: null,
};

eachDatabase("strays", (open) => {
  test("strays are listed by page and counted, and their cost stands on the day of their end", async () => {
    const { store } = await open();
    const strays: Stray[] = [
      stray,
      { ...stray, execution_id: "exe_2", ended_at: 2 * DAY_MS, cost: 0.25, cost_source: "estimated" },
      { ...stray, execution_id: "exe_3", cost: null, cost_source: null },
      { ...stray, execution_id: "exe_4", ended_at: null, cost: null, cost_source: null, due_at: 1 },
    ];
    await store.write((tx) => saveStrays(tx.db, strays));
    const ids = async (before: string | null) =>
      (await listStrays(store.db, before, 2)).map(({ execution_id }) => execution_id);
    expect(await ids(null)).toEqual(["exe_4", "exe_3"]);
    expect(await ids("exe_3")).toEqual(["exe_2", "exe_1"]);
    expect(await countStrays(store.db)).toEqual({ open: 1, settled: 3 });
    expect(await spentByStrays(store.db, DAY_MS, 2 * DAY_MS)).toEqual({
      executions: 2,
      durationMs: 120_000,
      billedNano: 500_000_000,
      estimatedNano: 0,
      unpriced: 1,
    });
    expect(await spentByStrays(store.db, 2 * DAY_MS, 3 * DAY_MS)).toMatchObject({
      executions: 1,
      estimatedNano: 250_000_000,
    });
  });
});
