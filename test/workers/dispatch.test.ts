// Dispatch: what a start came to is recorded, and the pause after a failed one lasts as long as it should.
import { expect, test } from "vitest";
import type { LyceumClient } from "../../src/lyceum/client.ts";
import type { StartOutcome } from "../../src/lyceum/outcome.ts";
import { createThrottle } from "../../src/lyceum/throttle.ts";
import { createDispatch } from "../../src/workers/dispatch.ts";
import { type Database, eachDatabase, onSqlite } from "../support/databases.ts";
import { contextOf, submitted } from "../support/scene.ts";

eachDatabase("dispatch", (open) => {
  test.each<[StartOutcome, object]>([
    [
      { outcome: "throttled", retryAfterMs: 1_000 },
      { status: "queued", attempt: 0 },
    ],
    [
      { outcome: "refused", status: 422, detail: "no such GPU" },
      { status: "failed", error_code: "rejected" },
    ],
    [
      { outcome: "accepted", lyceumExecutionId: "l-1", word: "pending" },
      { status: "active", attempt: 1 },
    ],
  ])(
    "records %j although the database was away when it came, and starts nothing before",
    async (outcome, run) => {
      const scene = sceneOf(await open(), outcome);
      const { store, context } = scene;
      await submitted(context, 2);
      scene.isAway = true;
      await scene.round();
      expect(await scene.round()).toBe(scene.time.now() + 1_000);
      expect(scene.starts).toBe(1);
      scene.isAway = false;
      scene.outcome = { outcome: "throttled", retryAfterMs: 60_000 };
      await scene.round();
      expect(await store.db.selectFrom("runs").selectAll().where("position", "=", 0).execute()).toMatchObject(
        [run],
      );
    },
  );
});

onSqlite("dispatch", (open) => {
  test("does not pause for longer because the clock is set back", async () => {
    const scene = sceneOf(await open(), { outcome: "unreachable", detail: "ECONNREFUSED" });
    await submitted(scene.context, 1);
    await scene.round();
    expect(scene.starts).toBe(1);
    scene.time.jumpWall(-3_600_000);
    await submitted(scene.context, 1);
    await scene.round();
    expect(scene.starts).toBe(2);
  });
});

/** A dispatch that starts one run at a time, a Lyceum that answers as it is told, and a database that may be away. */
function sceneOf({ store, newId, time }: Database, outcome: StartOutcome) {
  const scene = { store, time, outcome, isAway: false, starts: 0 };
  const context = contextOf({ newId, store });
  const lyceum = {
    async start() {
      scene.starts++;
      return scene.outcome;
    },
  } as unknown as LyceumClient;
  const writeTogether: typeof store.writeTogether = (perform, item) =>
    scene.isAway ? Promise.reject(new Error("the database is away")) : store.writeTogether(perform, item);
  const worker = createDispatch(
    { ...context, store: { ...store, writeTogether } },
    {
      lyceum,
      throttle: createThrottle({ clock: time, random: () => 0 }),
      callbacks: null,
      concurrency: 1,
      now: () => time.now(),
      onRoom: () => {},
    },
  );
  const round = async () => {
    const next = await worker.runOnce();
    await worker.idle();
    return next;
  };
  return Object.assign(scene, { context, round });
}
