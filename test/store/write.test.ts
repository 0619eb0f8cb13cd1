// `store.write`: all or nothing, events numbered without gaps in the order of the commits, wake-ups only after it.
import { expect, test } from "vitest";
import type { EventDraft } from "../../src/domain/event.ts";
import { incrementCounter, readCounters } from "../../src/store/counters.ts";
import { Conflict, type Topic } from "../../src/store/db/transaction.ts";
import { eventId } from "../../src/store/events.ts";
import type { Store } from "../../src/store/store.ts";
import { eachDatabase, onPostgres } from "../support/databases.ts";

const draft = (jobId: string): EventDraft => ({ type: "job.created", jobId, data: { counts: {} } });

eachDatabase("a write", (open, kind) => {
  test("commits what its work did, and answers its result", async () => {
    const { store } = await open();
    expect(await store.write((tx) => incrementCounter(tx.db, "mark", 2))).toBe(2);
    expect(await store.write((tx) => incrementCounter(tx.db, "mark", 3))).toBe(5);
    expect(await readCounters(store.db, "ma")).toEqual({ rk: 5 });
  });

  test("a write takes everything back when its work fails: rows, events, numbers and wake-ups", async () => {
    const { store } = await open();
    const woken: Topic[] = [];
    store.onCommit((topic) => void woken.push(topic));
    const failing = store.write(async (tx) => {
      await incrementCounter(tx.db, "mark", 1);
      tx.emit(draft("job_1"));
      tx.wake("dispatch", tx.now);
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(await readCounters(store.db, "")).toEqual({});
    expect(await eventsOf(store)).toEqual([]);
    expect(woken).toEqual([]);
  });

  test("a write takes everything back when a statement of it fails", async () => {
    const { store } = await open();
    const failing = store.write(async (tx) => {
      await incrementCounter(tx.db, "mark", 1);
      await tx.db.insertInto("counters").values({ name: "mark", value: 9 }).execute();
    });
    await expect(failing).rejects.toThrow(/unique/i);
    expect(await readCounters(store.db, "")).toEqual({});
  });

  test("a write wakes only once others can read what it wrote", async () => {
    const { store, time, connect } = await open();
    const other = connect();
    const seen: Promise<unknown>[] = [];
    const heard: [Topic, number][] = [];
    store.onCommit((topic, dueAt) => {
      heard.push([topic, dueAt]);
      seen.push(readCounters(other.db, "mark"));
    });
    await store.write(async (tx) => {
      tx.wake("reconcile", tx.now + 5);
      await incrementCounter(tx.db, "mark", 1);
      tx.emit(draft("job_1"));
      expect(heard).toEqual([]);
      expect(await readCounters(other.db, "mark")).toEqual({});
    });
    expect(heard).toEqual([
      ["reconcile", time.now() + 5],
      ["events", time.now()],
    ]);
    expect(await Promise.all(seen)).toEqual([{ "": 1 }, { "": 1 }]);
  });

  test("a write gives the events of one transaction their numbers in the order in which they were told", async () => {
    const { store, time } = await open();
    const ids = Array.from({ length: 1_200 }, (_, index) => `job_${index}`);
    await store.write(async (tx) => tx.emit(...ids.map(draft)));
    const events = await eventsOf(store);
    expect(events.map((event) => event.job_id)).toEqual(ids);
    expect(events.map((event) => event.seq)).toEqual(ids.map((_, index) => index + 1));
    expect(events[0]).toMatchObject({ type: "job.created", created_at: time.now(), run_id: null });
    expect(JSON.parse(events[0]?.data ?? "")).toEqual({ counts: {} });
    expect(new Set(events.map(eventId)).size).toBe(ids.length);
  });

  test("a write leaves no gap for a transaction that was rolled back", async () => {
    const { store } = await open();
    const works = Array.from({ length: 30 }, (_, index) =>
      store.write(async (tx) => {
        tx.emit(draft(`job_${index}`), draft(`job_${index}`));
        await incrementCounter(tx.db, `mark.${index}`, 1);
        if (index % 3 === 1) throw new Error("no");
      }),
    );
    const outcomes = await Promise.allSettled(works);
    expect(outcomes.filter((outcome) => outcome.status === "rejected")).toHaveLength(10);
    const events = await eventsOf(store);
    expect(events.map((event) => event.seq)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
    // Both events of a transaction stand together.
    for (let at = 0; at < events.length; at += 2) expect(events[at]?.job_id).toBe(events[at + 1]?.job_id);
  });

  test("a write is rolled back by a conflict, which is tried again where another writer can be the reason", async () => {
    const { store } = await open();
    let tries = 0;
    const contended = store.write(async (tx) => {
      await incrementCounter(tx.db, "mark", 1);
      if (++tries < 3) throw new Conflict("somebody was faster");
      return tries;
    });
    // SQLite has one writer: nothing can change between the tries, so that there is only one.
    if (kind === "sqlite") await expect(contended).rejects.toThrow("somebody was faster");
    else expect(await contended).toBe(3);
    expect(await readCounters(store.db, "mark")).toEqual(kind === "sqlite" ? {} : { "": 1 });
  });
});

onPostgres("parallel writers", (open) => {
  test("parallel writers are never seen out of order: no number appears before a lower one", async () => {
    const { store, connect } = await open();
    const writers = [store, connect(), connect()];
    const reader = connect();
    let isDone = false;
    const writing = Promise.all(
      Array.from({ length: 150 }, (_, index) =>
        writers[index % writers.length]?.write(async (tx) => {
          await incrementCounter(tx.db, `mark.${index % 7}`, 1);
          tx.emit(...Array.from({ length: 1 + (index % 3) }, () => draft(`job_${index}`)));
        }),
      ),
    ).finally(() => {
      isDone = true;
    });
    let reads = 0;
    while (!isDone) {
      const events = await eventsOf(reader);
      expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index + 1));
      reads++;
    }
    await writing;
    expect(reads).toBeGreaterThan(2);
    expect(await eventsOf(reader)).toHaveLength(300);
  });

  test("parallel writers that lock in opposite orders both get through", async () => {
    const { store, connect } = await open();
    const other = connect();
    const [bothHold, hold] = barrier(2);
    const locking = (on: Store, first: string, second: string) => {
      let isFirstTry = true;
      return on.write(async (tx) => {
        await incrementCounter(tx.db, first, 1);
        if (isFirstTry) {
          isFirstTry = false;
          hold();
          await bothHold;
        }
        await incrementCounter(tx.db, second, 1);
      });
    };
    await Promise.all([locking(store, "mark.a", "mark.b"), locking(other, "mark.b", "mark.a")]);
    expect(await readCounters(store.db, "mark.")).toEqual({ a: 2, b: 2 });
  });

  test("parallel writers wait some seconds for one that stands still; its locks go, and it is done again", async () => {
    const { store, connect } = await open();
    const other = connect();
    const free = Promise.withResolvers<void>();
    const holds = Promise.withResolvers<void>();
    let tries = 0;
    const frozen = other.write(async (tx) => {
      await incrementCounter(tx.db, "mark", 1);
      holds.resolve();
      if (++tries === 1) await free.promise;
      return incrementCounter(tx.db, "mark", 1);
    });
    await holds.promise;
    expect(await store.write((tx) => incrementCounter(tx.db, "mark", 1))).toBe(1);
    free.resolve();
    expect([await frozen, tries]).toEqual([3, 2]);
  });

  test("parallel writers do not try again for ever", async () => {
    const { store } = await open();
    let tries = 0;
    const hopeless = store.write(async () => {
      tries++;
      throw new Conflict("always");
    });
    await expect(hopeless).rejects.toThrow("always");
    expect(tries).toBe(20);
  });
});

function eventsOf({ db }: Store) {
  return db.selectFrom("events").selectAll().orderBy("seq").execute();
}

/** A promise that resolves once the function was called so many times. */
function barrier(parties: number): [Promise<void>, () => void] {
  const { promise, resolve } = Promise.withResolvers<void>();
  let arrived = 0;
  return [promise, () => void (++arrived === parties && resolve())];
}
