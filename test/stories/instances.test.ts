// Several instances of the service on one PostgreSQL.
import { expect, test } from "vitest";
import { createDatabase } from "../support/databases.ts";
import { image, startService } from "../support/service.ts";

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
