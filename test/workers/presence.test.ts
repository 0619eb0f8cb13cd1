// Presence: signs of life on PostgreSQL, the takeover from a silent instance, and one clock for all.
import { sql } from "kysely";
import { expect, test } from "vitest";
import type { Fact } from "../../src/domain/state-machine/fact.ts";
import { createSharedClock } from "../../src/lib/shared-clock.ts";
import { claimDue, renewStarts } from "../../src/store/execution-claims.ts";
import { findExecution } from "../../src/store/executions.ts";
import { beat } from "../../src/store/instances.ts";
import type { Store } from "../../src/store/store.ts";
import { createPresence } from "../../src/workers/presence.ts";
import { createFakeTime } from "../lyceum/fake-time.ts";
import { type Database, onPostgres, onSqlite } from "../support/databases.ts";
import { claimed, contextOf, live, read, submitted, tell } from "../support/scene.ts";

const SECOND = 1_000;

function instanceOn({ newId }: Database, store: Store) {
  const host = createFakeTime();
  const clock = createSharedClock(host);
  const context = contextOf({ store, newId });
  return {
    host,
    clock,
    store,
    presence: createPresence(context, { version: "1.2.3", hostClock: host, clock }),
  };
}

function silenceOf(store: Store, seconds: number) {
  return sql`update instances set beat_at = beat_at - ${seconds * SECOND} where id = ${store.instance}`.execute(
    store.db,
  );
}

onPostgres("presence", (open) => {
  test("presence makes the work of a silent instance due for all others, and removes the instance", async () => {
    const database = await open();
    const context = contextOf(database);
    await submitted(context, 3);
    const [dead, alive] = [
      instanceOn(database, database.store),
      instanceOn(database, database.connect()),
    ] as const;
    await dead.presence.runOnce();
    const { execution: unanswered } = await claimed(context);
    const { execution: held } = await live(context);
    const { execution: foreign } = await live(context);
    const now = database.time.now();
    const longLease = now + 600 * SECOND;
    await beat(alive.store.db, { id: "elsewhere", version: "1.2.3", clockOffsetMs: 0 });
    expect(
      await claimDue(dead.store.db, "reconcile", now + 120 * SECOND, longLease, 1, "elsewhere"),
    ).toHaveLength(1);
    await silenceOf(dead.store, 14);
    await alive.presence.runOnce();
    const dueNow = async () => {
      const executions = await Promise.all(
        [unanswered, held, foreign].map(({ id }) => findExecution(alive.store.db, id)),
      );
      return executions.filter((execution) => (execution?.dueAt ?? 0) <= database.time.now()).length;
    };
    expect(await dueNow()).toBe(0);
    await silenceOf(dead.store, 2);
    alive.host.pass(5 * SECOND);
    await alive.presence.runOnce();
    expect(await dueNow()).toBe(2);
    const ids = (await alive.presence.list()).map(({ id }) => id);
    expect(ids.toSorted()).toEqual([alive.store.instance, "elsewhere"].toSorted());
  });

  test("presence makes due what an instance claimed that was removed before, and gave no sign of life since", async () => {
    const database = await open();
    const context = contextOf(database);
    await submitted(context, 1);
    const { execution } = await claimed(context);
    const alive = instanceOn(database, database.connect());
    await alive.presence.runOnce();
    expect((await findExecution(alive.store.db, execution.id))?.dueAt).toBeLessThanOrEqual(
      database.time.now(),
    );
  });

  test("presence leaves the wake-ups of an instance that has stopped in good order", async () => {
    const database = await open();
    const context = contextOf(database);
    await submitted(context, 1);
    const { execution } = await live(context);
    const wakeUp = (await findExecution(database.store.db, execution.id))?.dueAt;
    const stopped = instanceOn(database, database.store);
    await stopped.presence.runOnce();
    await stopped.presence.leave(true);
    const alive = instanceOn(database, database.connect());
    await alive.presence.runOnce();
    expect((await findExecution(alive.store.db, execution.id))?.dueAt).toBe(wakeUp);
  });

  test("presence makes due every lease that a silent instance wrote, whoever had claimed the execution before", async () => {
    const database = await open();
    const context = contextOf(database);
    await submitted(context, 2);
    const alive = instanceOn(database, database.connect());
    const others = contextOf({ store: alive.store, newId: database.newId });
    const { execution: start } = await claimed(others);
    const { execution: end } = await live(others);
    const slow = instanceOn(database, database.store);
    await slow.presence.runOnce();
    await alive.presence.runOnce();
    const leaseUntil = database.time.now() + 600 * SECOND;
    await tell(context, end.id, { ...read("completed"), leaseUntil } as Fact);
    await context.store.write((tx) => renewStarts(tx, [start.id], leaseUntil));
    await silenceOf(slow.store, 20);
    alive.host.pass(5 * SECOND);
    await alive.presence.runOnce();
    for (const { id } of [start, end])
      expect((await findExecution(alive.store.db, id))?.dueAt).toBeLessThanOrEqual(database.time.now());
  });

  test("presence makes unfinished work due at once when an instance leaves before its end", async () => {
    const database = await open();
    const context = contextOf(database);
    await submitted(context, 1);
    const { execution } = await claimed(context);
    const { presence, store } = instanceOn(database, database.store);
    await presence.runOnce();
    await presence.leave(false);
    expect((await findExecution(store.db, execution.id))?.dueAt).toBe(database.time.now());
    expect(await presence.list()).toEqual([]);
  });

  test("presence covers nothing from before a silence, even when the silence is over", async () => {
    const database = await open();
    const { host, presence } = instanceOn(database, database.store);
    const before = host.monotonic();
    expect(presence.isHeldAlive(before)).toBe(false);
    await presence.runOnce();
    const claimedAt = host.monotonic();
    expect(presence.isHeldAlive(claimedAt)).toBe(true);
    host.pass(6 * SECOND);
    expect(presence.isHeldAlive(claimedAt)).toBe(true);
    await presence.runOnce();
    host.pass(8 * SECOND);
    expect(presence.isHeldAlive(claimedAt)).toBe(false);
    await presence.runOnce();
    expect(presence.isHeldAlive(claimedAt)).toBe(false);
    expect(presence.isHeldAlive(host.monotonic())).toBe(true);
  });

  test("presence covers nothing after the machine was suspended, which stops its monotonic clock", async () => {
    const { host, presence } = instanceOn(await open(), (await open()).store);
    await presence.runOnce();
    const claimedAt = host.monotonic();
    host.jumpWall(20 * SECOND);
    expect(presence.isHeldAlive(claimedAt)).toBe(false);
  });

  test("presence gives all instances the database's time, whatever their machines say", async () => {
    const database = await open();
    const { host, clock, presence, store } = instanceOn(database, database.store);
    await presence.runOnce();
    const { rows } = await sql<{ now: number }>`
      select (extract(epoch from clock_timestamp()) * 1000)::bigint as now`.execute(store.db);
    const databaseNow = rows[0]?.now ?? 0;
    expect(Math.abs(clock.now() - databaseNow)).toBeLessThan(60 * SECOND);
    const before = clock.now();
    host.jumpWall(600 * SECOND);
    expect(clock.now()).toBe(before);
    expect(presence.clockAheadMs()).toBe(host.now() - before);
    await presence.runOnce();
    const [row] = await presence.list();
    const differenceMs = (row?.clockOffsetMs ?? 0) - presence.clockAheadMs();
    expect(Math.abs(differenceMs)).toBeLessThan(60 * SECOND);
  });
});

onSqlite("presence", (open) => {
  test("presence of the only process needs no sign of life", async () => {
    const database = await open();
    const { host, presence, store } = instanceOn(database, database.store);
    expect(await presence.runOnce()).toBe(null);
    host.pass(600 * SECOND);
    expect(presence.isHeldAlive(0)).toBe(true);
    expect(await presence.list()).toMatchObject([{ id: store.instance, version: "1.2.3", clockOffsetMs: 0 }]);
  });
});
