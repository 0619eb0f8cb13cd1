// Several instances of the service on one PostgreSQL.
import pg from "pg";
import { expect, test } from "vitest";
import { createDatabase } from "../support/databases.ts";
import { image, startService, until } from "../support/service.ts";

test("a job is submitted at one instance, waited for at another, and called back at a third", async () => {
  const { target, remove } = await createDatabase(false);
  if (target.kind !== "postgres") throw new Error("not a PostgreSQL");
  const own = { DATABASE_URL: target.url, POLL_INTERVAL_MIN: "30s", POLL_INTERVAL_MAX: "60s" };
  const called = await startService({ settings: own });
  const shared = { ...own, LYCEUM_BASE_URL: called.emulator.url, PUBLIC_URL: called.url() };
  const [first, other] = [await startService({ settings: shared }), await startService({ settings: shared })];
  const { id } = await first.submit({ runs: [image(), image("delay=300")] });
  const { body } = await other.ann.get(`/v1/jobs/${id}?wait=30s`);
  expect(body.status).toBe("succeeded");
  const runs = await other.runsOf(id);
  expect(runs.map((run) => run.detected_by)).toEqual(["callback", "callback"]);
  expect((await other.status()).instances).toHaveLength(3);
  for (const service of [first, other, called]) await service.close();
  await remove();
}, 60_000);

test("an instance tells the others of events, and not of work that it does itself", async () => {
  const { target, remove } = await createDatabase(false);
  if (target.kind !== "postgres") throw new Error("not a PostgreSQL");
  const listener = new pg.Client(target.url);
  const service = await startService({ settings: { DATABASE_URL: target.url } });
  await listener.connect();
  await listener.query("listen proctor");
  const told = new Set<string>();
  listener.on("notification", ({ payload = "" }) => {
    for (const topic of payload.split(" ").slice(1)) told.add(topic);
  });
  const { id } = await service.submit({ runs: [image(), image()] });
  await service.ended(id);
  await until("the last notification", async () => told.has("events"));
  for (const topic of ["dispatch", "reconcile", "collect", "deliver"]) expect(told).not.toContain(topic);
  await listener.end();
  await service.close();
  await remove();
}, 60_000);
