// Rows of deleted jobs are removed in slices, and so are their pages in SQLite's log.
import { sql } from "kysely";
import { expect, test } from "vitest";
import { cancelJob } from "../../src/orchestration/cancel.ts";
import { deleteJob } from "../../src/orchestration/delete-job.ts";
import { walBytes } from "../../src/store/store.ts";
import { createJobDeletion } from "../../src/workers/delete-jobs.ts";
import { createEnforcer } from "../../src/workers/enforce-limits.ts";
import { onSqlite } from "../support/databases.ts";
import { contextOf, jobNow, submitted } from "../support/scene.ts";

const MIB = 1024 ** 2;

onSqlite("removing a job of 4,000 runs", (open) => {
  test("takes many transactions, after each of which the log begins anew", async () => {
    const database = await open();
    const { store, time } = database;
    const context = contextOf(database);
    const job = await submitted(context, 4_000);
    await cancelJob(context, job, { mode: "abort", cause: "request" });
    while ((await jobNow(store, job.id)).ended_at === null) await createEnforcer(context).runOnce();
    await store.write((tx) => deleteJob(tx, job.id, { remembersKey: false }));
    await sql`pragma wal_checkpoint(truncate)`.execute(store.db);

    const deletion = createJobDeletion(context, { now: () => time.now(), startsCountedMs: null });
    let slices = 0;
    while ((await deletion.runOnce()) !== null) slices++;

    expect(slices).toBeGreaterThan(20);
    expect(await store.db.selectFrom("jobs").select("id").execute()).toEqual([]);
    expect(await walBytes(store)).toBeLessThan(MIB);
  });
});
