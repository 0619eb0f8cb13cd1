// The restore drill: a busy service is backed up, starts more, loses its disk and is restored. What Lyceum was asked to run
// in between is found by its markers: nothing is paid for twice, and nothing is lost unseen.
import { rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { backup, mark, restore } from "../../src/app/maintenance.ts";
import { createDatabase } from "../support/databases.ts";
import { image, startService, until } from "../support/service.ts";

it("after a lost disk every start since the backup is adopted or recorded, and none is repeated", async () => {
  await using service = await startService({ settings: { IN_DOUBT_AFTER: "1s", SUBMIT_CONCURRENCY: "2" } });
  const database = { kind: "sqlite", path: service.database } as const;
  const copy = join(tmpdir(), `drill-${process.pid}.db`);
  // Known to the backup: a live run, runs that wait behind it, and a run that is going to be retried.
  const live = await service.submit({ runs: [image("delay=4s")] });
  const waiting = await service.submit({
    runs: Array.from({ length: 4 }, (_, index) => image("delay=4s", { name: `w${index}` })),
    max_parallel: 1,
  });
  const retried = await service.submit({
    runs: [image("delay=1500ms exit=3")],
    retry: { max_attempts: 2, on: ["failed"] },
  });
  await until("three starts", () => service.starts().length === 3);
  await until("their answers", async () => (await service.status()).queue.live === 3);
  const { bytes } = await backup(database, { path: copy });
  expect(bytes).toBeGreaterThan(0);
  expect(statSync(copy).mode & 0o777).toBe(0o600);
  // Unknown to the backup: the retry, the next of the waiting runs, and a whole job.
  const later = await service.submit({ runs: [image("delay=4s", { name: "later" })] });
  await until("the retry", async () => (await service.runsOf(retried.id))[0]?.executions.length === 2);
  await until("the second of the waiting", () => service.starts().length >= 6);
  const startsBefore = service.starts().length;
  await service.stop();
  for (const suffix of ["", "-wal", "-shm"]) rmSync(service.database + suffix, { force: true });

  await restore(database, copy, false);
  await service.restart();
  const all = [live.id, waiting.id, retried.id];
  for (const id of all) await service.ended(id);
  // Each run of the three jobs was started once, the failing one twice; the lost job's start is nobody's.
  const names = service.sentBodies().map((body) => JSON.parse(body).file_name as string | undefined);
  const starts = names.filter((name) => name !== undefined);
  expect(new Set(starts).size).toBe(starts.length);
  expect(starts).toHaveLength(1 + 4 + 2 + 1);
  expect(service.starts().length).toBeGreaterThanOrEqual(startsBefore);
  expect((await service.ann.get(`/v1/jobs/${later.id}`)).status).toBe(404);
  const strays = async () => (await service.reader.get("/v1/strays")).body.data;
  await until("the stray's cost", async () => (await strays())[0]?.settled === true);
  const [stray, ...others] = await strays();
  expect(others).toEqual([]);
  expect(stray).toMatchObject({ file_name: expect.stringMatching(/-later$/), lyceum_status: "completed" });
  expect(stray.cost).toBeGreaterThan(0);
  const { body: usage } = await service.reader.get("/v1/usage");
  expect(usage.strays).toMatchObject({ executions: 1, cost: { total: stray.cost, unpriced: 0 } });
  expect(usage.total.executions).toBe(1 + 4 + 2);
  // Its key is not known, so that no submitter sees it.
  expect((await service.ann.get("/v1/strays")).body.data).toEqual([]);
  expect((await service.ann.get("/v1/usage")).body.strays).toBeNull();
  expect(service.logLines.filter((line) => line.includes('"event":"stray_found"'))).toHaveLength(1);
  const [run] = await service.runsOf(retried.id);
  expect(run?.executions.map(({ status }) => status)).toEqual(["failed", "failed"]);
  expect(service.rows("select * from counters where name = 'restored.since'")).toEqual([]);
  rmSync(copy);
}, 90_000);

it("a PostgreSQL database that was restored by other means is marked, and starts wait for the search", async () => {
  const { target, remove } = await createDatabase(true);
  if (target.kind !== "postgres") throw new Error("no PostgreSQL");
  {
    await using service = await startService({
      settings: { DATABASE_URL: target.url, IN_DOUBT_AFTER: "1s", DATABASE_POOL: "4" },
    });
    await service.run(image());
    await service.stop();
    const before = Date.now();
    expect(await mark(target)).toBeLessThan(before);
    const markedAt = Date.now();
    await service.restart();
    expect((await service.run(image())).status).toBe("succeeded");
    expect(Date.now() - markedAt).toBeGreaterThanOrEqual(1_000);
    const events = service.logLines.map((line) => JSON.parse(line).event);
    expect(events).toContain("restored");
    expect(events).not.toContain("stray_found");
  }
  await remove();
}, 60_000);
