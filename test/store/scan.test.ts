// Lists of any length: each filter is answered from an index, in slices, and other work has its turn in between.
import { sql } from "kysely";
import { expect, test } from "vitest";
import { type JobFilter, jobScan, listJobs } from "../../src/store/job-list.ts";
import { insertJobs, type JobRow } from "../../src/store/jobs.ts";
import { listAllRuns, type RunFilter, runScan } from "../../src/store/run-list.ts";
import { rowsQuery, type Scan, SLICE, sliceQuery } from "../../src/store/scan.ts";
import type { Store } from "../../src/store/store.ts";
import { eachDatabase, onSqlite } from "../support/databases.ts";
import { contextOf, submitted } from "../support/scene.ts";

/** Copies of a job under new ids. */
async function fill(store: Store, like: JobRow, ids: string[], changes: Partial<JobRow> = {}): Promise<void> {
  await store.write((tx) =>
    insertJobs(
      tx.db,
      ids.map((id) => ({ ...like, ...changes, id })),
    ),
  );
}

/** Counts the turns of the event loop while the task was under way. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let isOver = false;
  const count = () => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  await work();
  isOver = true;
  return turns;
}

onSqlite("a list without a match", (open) => {
  test("a list without a match gives a turn back after each slice of its index", async () => {
    const database = await open();
    const { store, newId } = database;
    const like = await submitted(contextOf(database), 1);
    await fill(
      store,
      like,
      Array.from({ length: 3 * SLICE }, () => newId("job")),
    );
    const turns = await turnsDuring(async () => {
      const found = await listJobs(store.db, { statuses: ["active"] }, 9);
      expect(found).toEqual({ rows: [], next: null });
    });
    expect(turns).toBeGreaterThanOrEqual(3);
  });
});

/** Null: the primary key. */
const jobFilters: [JobFilter, string | null][] = [
  [{}, null],
  [{ createdAfter: 1, createdBefore: 2 }, null],
  [{ key: "ann" }, "jobs_by_key"],
  [{ name: "a", key: "ann" }, "jobs_by_name"],
  [{ statuses: ["queued", "active"], key: "ann" }, "jobs_unended"],
  [{ statuses: ["failed"], before: "job_x" }, "jobs_unsuccessful"],
  [{ statuses: ["failed", "succeeded"] }, null],
];
const runFilters: [RunFilter & { key: string | null }, string | null][] = [
  [{ key: null }, null],
  [{ key: "ann", name: "a" }, "runs_by_key"],
  [{ key: "ann", statuses: ["active", "collecting"] }, "runs_unended"],
  [{ key: null, statuses: ["cancelled"] }, "runs_with_error"],
  [{ key: null, outcome: "failed", createdAfter: 1 }, "runs_with_error"],
  [{ key: null, errorCode: "timeout" }, "runs_with_error"],
  [{ key: "ann", errorReason: "out_of_memory" }, "runs_by_reason"],
  [{ key: null, outcome: "succeeded" }, null],
];

onSqlite("a slice", (open) => {
  async function expectIndex(store: Store, list: Scan, index: string | null): Promise<void> {
    for (const after of [list.after, `${list.table.slice(0, 3)}_x`]) {
      const query = sliceQuery({ ...list, after });
      const plan = await sql<{ detail: string }>`explain query plan ${query}`.execute(store.db);
      const details = plan.rows.map(({ detail }) => detail);
      const way =
        index === null ? /^(SCAN \w+|SEARCH \w+ USING PRIMARY KEY .*)$/ : new RegExp(` INDEX ${index}\\b`);
      expect(details[1]).toMatch(way);
      expect(details.filter((detail) => detail.includes("TEMP B-TREE"))).toEqual([]);
    }
  }

  test("a slice of jobs is read from the index that its filter names, in the index's order", async () => {
    const { store } = await open();
    for (const [filter, index] of jobFilters) await expectIndex(store, jobScan(filter), index);
  });

  test("a slice of runs is read from the index that its filter names, in the index's order", async () => {
    const { store } = await open();
    for (const [filter, index] of runFilters) await expectIndex(store, runScan(filter, null), index);
  });

  test("a slice between two times has one bound in each direction, or its rows would be walked from the other", async () => {
    const { store } = await open();
    for (const before of [null, "run_x"]) {
      const list = runScan({ key: null, name: "a", createdAfter: 1, createdBefore: 2 }, before);
      for (const query of [sliceQuery(list), rowsQuery(list, "run_a", 10)]) {
        const bounds = query.compile(store.db).sql.match(/\bid"? (<|>=|>) /g) ?? [];
        expect(bounds.map((bound) => bound.includes("<")).toSorted()).toEqual([false, true]);
      }
    }
  });
});

eachDatabase("a filtered list", (open) => {
  test("a filtered list goes on behind its last job however many of others come between two pages", async () => {
    const database = await open();
    const { store, newId, time } = database;
    const like = await submitted(contextOf(database), 1);
    const some = (count: number) =>
      Array.from({ length: count }, () => {
        time.pass(1);
        return newId("job");
      });
    const wanted: string[] = [];
    for (let round = 0; round < 4; round++) {
      const ids = some(1);
      wanted.push(...ids);
      await fill(store, like, ids, { name: "wanted" });
      await fill(store, like, some(SLICE / 2), { name: "other" });
    }
    const seen: string[] = [];
    for (let before: string | null = null, isFirst = true; isFirst || before !== null; isFirst = false) {
      const page = await listJobs(store.db, { name: "wanted", before }, 1);
      seen.push(...page.rows.map(({ id }) => id));
      before = page.next as string | null;
      await fill(store, like, some(1), { name: "wanted" });
      if (seen.length === 2)
        await store.db
          .deleteFrom("jobs")
          .where("id", "=", seen[1] ?? "")
          .execute();
    }
    expect(seen).toEqual(wanted.toReversed());
  });

  test("a filtered list answers by the time that stands in the row, also where the clock was set while its id was made", async () => {
    const database = await open();
    const { store, newId, time } = database;
    const like = await submitted(contextOf(database), 1);
    const at = time.now() + 10_000;
    time.pass(10_000);
    const late = newId("job");
    await fill(store, like, [late], { created_at: at - 20_000, name: "odd" });
    const ids = async (filter: JobFilter) =>
      (await listJobs(store.db, { name: "odd", ...filter }, 9)).rows.length;
    expect(await ids({ createdBefore: at - 19_999 })).toBe(1);
    expect(await ids({ createdBefore: at - 20_000 })).toBe(0);
    expect(await ids({ createdAfter: at - 20_001 })).toBe(1);
    expect(await ids({ createdAfter: at - 20_000 })).toBe(0);
  });

  test("a filtered list of runs finds what each filter asks for, and of one key its own alone", async () => {
    const database = await open();
    const { store } = database;
    const context = contextOf(database);
    const anns = await submitted(context, 3, { name: "a" });
    const bobs = await submitted(context, 2, {}, { apiKey: "bob" });
    const rows = await store.db.selectFrom("runs").select(["id", "job_id"]).orderBy("id", "desc").execute();
    const of = (jobId: string) => rows.filter(({ job_id }) => job_id === jobId).map(({ id }) => id);
    const last = of(anns.id)[0] ?? "";
    await store.db
      .updateTable("runs")
      .set({
        ...({
          status: "failed",
          outcome: "failed",
          error_code: "failed",
          error_reason: "out_of_memory",
        } as const),
      })
      .set({ due_at: null, ended_at: 1 })
      .where("id", "=", last)
      .execute();
    const list = async (filter: RunFilter & { key?: string }) =>
      (await listAllRuns(store.db, { key: null, ...filter }, null, 9)).rows.map(({ id }) => id);
    expect(await list({})).toEqual(rows.map(({ id }) => id));
    expect(await list({ key: "ann" })).toEqual(of(anns.id));
    expect(await list({ key: "bob", statuses: ["queued"] })).toEqual(of(bobs.id));
    for (const filter of [
      { statuses: ["failed", "cancelled"] as const },
      { outcome: "failed" as const },
      { errorCode: "failed" },
      { errorReason: "out_of_memory" },
    ]) {
      expect(await list(filter)).toEqual([last]);
      expect(await list({ ...filter, key: "bob" })).toEqual([]);
    }
    expect(await list({ hardware: "cpu", kind: "python" })).toHaveLength(5);
    expect(await list({ hardware: "gpu.a100" })).toEqual([]);
  });
});
