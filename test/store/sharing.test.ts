// Instances share more than rows: wake-ups, roles, and the newest settings.
import { expect, test } from "vitest";
import type { Write } from "../../src/store/db/transaction.ts";
import { leave } from "../../src/store/instances.ts";
import { replaceMachineTypes } from "../../src/store/machine-types.ts";
import { takeRole } from "../../src/store/roles.ts";
import { mayApply } from "../../src/store/settings-revision.ts";
import { saveStartPause } from "../../src/store/start-pause.ts";
import { connectWakeUps } from "../../src/store/wake-ups.ts";
import { eachDatabase, onPostgres } from "../support/databases.ts";
import { eventually } from "../support/wait.ts";

onPostgres("what any instance may save at any time", (open) => {
  const pause = { reason: "unknown", detail: "502", since: 1, failures: 1, probeAt: 2 } as const;
  const types = [{ hardware_profile: "cpu", price_per_hour: 0.1, available: 1, fetched_at: 1 }];
  test.each<[string, Write<unknown>]>([
    ["the pause of starts", ({ db, now }) => saveStartPause(db, pause, now)],
    ["the catalogue", ({ db }) => replaceMachineTypes(db, types)],
  ])("%s is saved by several instances at once", async (_what, save) => {
    const { store, connect } = await open();
    const stores = [store, connect(), connect()];
    for (let round = 0; round < 10; round++) {
      await Promise.all(stores.map((each) => each.write(save)));
      await store.db.deleteFrom("start_pause").execute();
      await store.db.deleteFrom("machine_types").execute();
    }
  });
});

onPostgres("wake-ups", (open) => {
  test("wake-ups reach the other instances, and not the one that tells", async () => {
    const database = await open();
    if (database.target.kind !== "postgres") throw new Error("not a PostgreSQL");
    const { url } = database.target;
    const heard: string[] = [];
    const told: string[] = [];
    const [one, other] = [
      connectWakeUps(database.store, url, (topic) => void told.push(topic)),
      connectWakeUps(database.connect(), url, (topic) => void heard.push(topic)),
    ] as const;
    await eventually(async () => {
      one.tell("dispatch");
      expect(heard).toContain("dispatch");
    });
    expect(told).toEqual([]);
    await one.close();
    await other.close();
  });

  test("wake-ups use one connection at a time, and gather meanwhile", async () => {
    const { store, target, connect } = await open();
    if (target.kind !== "postgres") throw new Error("not a PostgreSQL");
    const heard: string[] = [];
    const listener = connectWakeUps(connect(), target.url, (topic) => void heard.push(topic));
    let queries = 0;
    let release = () => {};
    const isReleased = new Promise<void>((resolve) => {
      release = resolve;
    });
    const db = store.db.withPlugin({
      transformQuery: ({ node }) => {
        queries++;
        return node;
      },
      transformResult: async ({ result }) => isReleased.then(() => result),
    });
    const teller = connectWakeUps({ db, instance: "teller" }, target.url, () => {});
    await eventually(() => {
      teller.tell("dispatch");
      expect(queries).toBe(1);
    });
    for (const topic of ["collect", "deliver", "reconcile"] as const) {
      teller.tell(topic);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    expect(queries).toBe(1);
    release();
    await eventually(() => expect(queries).toBe(2));
    await eventually(() => {
      teller.tell("events");
      expect(heard).toContain("events");
    });
    await teller.close();
    await listener.close();
  });
});

eachDatabase("roles", (open) => {
  test("roles have one holder, until its time is over or it leaves", async () => {
    const { store } = await open();
    const take = (holder: string, now: number) =>
      takeRole(store.db, { name: "list", holder, now, until: now + 10 });
    expect(await take("a", 0)).toBe(true);
    expect(await take("b", 5)).toBe(false);
    expect(await take("a", 5)).toBe(true);
    expect(await take("b", 16)).toBe(true);
    await store.write((tx) => leave(tx, "b", true));
    expect(await take("a", 17)).toBe(true);
  });
});

eachDatabase("settings", (open) => {
  test("settings of an older revision are not applied once those of a newer one are", async () => {
    const { db } = (await open()).store;
    expect(await mayApply(db, 2)).toBe(true);
    expect(await mayApply(db, 1)).toBe(false);
    expect(await mayApply(db, 2)).toBe(true);
    expect(await mayApply(db, 3)).toBe(true);
    expect(await mayApply(db, null)).toBe(true);
  });
});
