// Remote deletion, round by round: records that Lyceum has deleted are marked; the others are tried again, then given up.
import { expect, test } from "vitest";
import type { LyceumClient } from "../../src/lyceum/client.ts";
import type { ReadOutcome } from "../../src/lyceum/outcome.ts";
import { requestRemoteDeletion } from "../../src/orchestration/delete-job.ts";
import { retryRun } from "../../src/orchestration/retry-run.ts";
import { jobsEndedBefore } from "../../src/store/deletions.ts";
import { findJob } from "../../src/store/jobs.ts";
import { createRemoteDeletion } from "../../src/workers/delete-remote.ts";
import { eachDatabase } from "../support/databases.ts";
import { contextOf, ended, live, submitted } from "../support/scene.ts";

const DAY = 86_400_000;
const ok: ReadOutcome<never> = { type: "ok", value: { word: null, message: null } as never };
const away: ReadOutcome<never> = { type: "unreachable", detail: "away" };
const missing: ReadOutcome<never> = { type: "missing", detail: "404" };

eachDatabase("remote deletion", (open) => {
  async function scene(runs: number) {
    const database = await open();
    const context = contextOf(database);
    const job = await submitted(context, runs);
    const ids: string[] = [];
    for (let run = 0; run < runs; run++) ids.push(`lyceum-${(await ended(context, "failed")).execution.id}`);
    const asked: string[] = [];
    const fate = { of: (_id: string) => ok };
    const lyceum = {
      deleteRecord: async (id: string) => {
        asked.push(id);
        return fate.of(id);
      },
    } as unknown as LyceumClient;
    const deletion = createRemoteDeletion(context, { lyceum, now: () => database.time.now() });
    return { ...database, context, job, ids, asked, fate, deletion };
  }

  test("remote deletion repeats only the failed deletions, at growing intervals", async () => {
    const { store, time, context, job, ids, asked, fate, deletion } = await scene(3);
    fate.of = (id) => (id === ids[1] ? away : id === ids[2] ? missing : ok);
    expect(await requestRemoteDeletion(context, job.id)).toBe(true);
    expect(await deletion.runOnce()).toBe(time.now() + 5_000);
    expect(asked.toSorted()).toEqual(ids.toSorted());
    time.pass(60_000);
    expect(await deletion.runOnce()).toBe(time.now() + 30_000);
    expect(asked.slice(3)).toEqual([ids[1]]);
    fate.of = () => ok;
    time.pass(30_000);
    expect(await deletion.runOnce()).toBeNull();
    expect(await findJob(store.db, job.id)).toBeNull();
  });

  test("remote deletion deletes many records in bounded steps", async () => {
    const { store, time, context, job, asked, deletion } = await scene(45);
    await requestRemoteDeletion(context, job.id);
    const seen: number[] = [];
    for (let round = 0; round < 3; round++) {
      await deletion.runOnce();
      seen.push(asked.length);
    }
    expect(seen).toEqual([20, 40, 45]);
    expect(
      await store.db.selectFrom("jobs").select("id").where("deletion_due_at", "<=", time.now()).execute(),
    ).toEqual([]);
  });

  test("remote deletion deletes the job after a week, even if records are left at Lyceum", async () => {
    const { store, time, context, job, fate, deletion } = await scene(1);
    fate.of = () => away;
    await requestRemoteDeletion(context, job.id);
    await deletion.runOnce();
    time.pass(6 * DAY);
    expect(await deletion.runOnce()).toBe(time.now() + 3_600_000);
    time.pass(DAY);
    await deletion.runOnce();
    expect(await findJob(store.db, job.id)).toBeNull();
  });

  test("remote deletion keeps the job from retention and its runs from retries until it is done", async () => {
    const { store, time, context, job } = await scene(1);
    await requestRemoteDeletion(context, job.id);
    expect(await jobsEndedBefore(store.db, time.now() + DAY, 10)).toEqual([]);
    const run = await store.db.selectFrom("runs").select("id").executeTakeFirstOrThrow();
    expect(await retryRun(context, job, run.id)).toEqual({
      type: "refused",
      detail: "the job is being deleted",
    });
  });

  test("remote deletion does not mark a live or deleted job", async () => {
    const database = await open();
    const context = contextOf(database);
    const job = await submitted(context, 1);
    await live(context);
    expect(await requestRemoteDeletion(context, job.id)).toBe(false);
    expect(await requestRemoteDeletion(context, "job_01j0000000000000000000000a")).toBe(false);
  });
});
