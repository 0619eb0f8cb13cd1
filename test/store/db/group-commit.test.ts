// Group commit on SQLite: works that arrive together share one commit, none suffers from a neighbour, and nobody
// hears of success before it.
import { readFile } from "node:fs/promises";
import Sqlite from "better-sqlite3";
import { sql } from "kysely";
import { expect, test } from "vitest";
import { nextTurn } from "../../../src/lib/next-turn.ts";
import { incrementCounter, readCounters } from "../../../src/store/counters.ts";
import type { Tx } from "../../../src/store/db/transaction.ts";
import { type Database, onSqlite } from "../../support/databases.ts";

const mark = (name: string) => (tx: Tx) => incrementCounter(tx.db, name, 1);

onSqlite("group commit", (open) => {
  test("commits works once that arrive in one turn", async () => {
    const database = await open();
    const before = await commitsOf(database);
    const answers = await Promise.all(Array.from({ length: 100 }, () => database.store.write(mark("mark"))));
    expect(answers).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
    expect(await commitsOf(database)).toBe(before + 1);
  });

  test("commits works apart that arrive one after the other", async () => {
    const database = await open();
    const before = await commitsOf(database);
    for (let round = 0; round < 5; round++) await database.store.write(mark("mark"));
    expect(await commitsOf(database)).toBe(before + 5);
  });

  test("commits writes together that come one a tick, as on connections of their own", async () => {
    const database = await open();
    const before = await commitsOf(database);
    const writes = await oneATick(10, () => database.store.write(mark("mark")));
    await Promise.all(writes);
    expect(await commitsOf(database)).toBe(before + 1);
  });

  test("items of one function that come one a tick join the same waiting write", async () => {
    const { store } = await open();
    const sizes: number[] = [];
    const take = async (_: Tx, items: number[]) => {
      sizes.push(items.length);
      return items;
    };
    await Promise.all(await oneATick(10, (item) => store.batchWrite(take, item)));
    expect(sizes).toEqual([10]);
  });

  test("a write does not wait longer than a commit takes, however many follow", async () => {
    const { store, time } = await open();
    let isWritten = false;
    const first = store.write(mark("mark")).then(() => (isWritten = true));
    let followers = 0;
    const writes = await oneATick(30, () => {
      time.pass(0.5);
      if (!isWritten) followers++;
      return store.write(mark("mark"));
    });
    await Promise.all([first, ...writes]);
    expect(followers).toBeGreaterThan(2);
    expect(followers).toBeLessThan(10);
  });

  test("a write does not wait for ever while the clock stands still", async () => {
    const { store } = await open();
    let isWritten = false;
    const first = store.write(mark("mark")).then(() => (isWritten = true));
    const writes = await oneATick(200, () => (isWritten ? null : store.write(mark("mark"))));
    await Promise.all([first, ...writes]);
    expect(writes.filter((write) => write !== null).length).toBeLessThan(100);
  });

  test("group commit bounds a batch: further transactions are committed in the next one", async () => {
    const database = await open();
    const before = await commitsOf(database);
    await Promise.all(Array.from({ length: 600 }, () => database.store.write(mark("mark"))));
    expect(await commitsOf(database)).toBe(before + 3);
  });

  test("commits transactions that arrive during a batch in the next one", async () => {
    const database = await open();
    const { store } = database;
    const before = await commitsOf(database);
    let second: Promise<number> | null = null;
    await store.write(async (tx) => {
      second = store.write(mark("mark"));
      return mark("mark")(tx);
    });
    expect(await second).toBe(2);
    expect(await commitsOf(database)).toBe(before + 2);
  });

  test("group commit takes back a failing work alone, and its neighbours are committed", async () => {
    const database = await open();
    const { store } = database;
    const failing = async (tx: Tx) => {
      await mark("bad")(tx);
      throw new Error("no");
    };
    const refused = async (tx: Tx) => {
      await mark("bad")(tx);
      await tx.db.insertInto("counters").values({ name: "bad", value: 1 }).execute();
    };
    const before = await commitsOf(database);
    const outcomes = await Promise.allSettled(
      [mark("a"), failing, mark("b"), refused, mark("a")].map((work) => store.write<unknown>(work)),
    );
    expect(outcomes.map((outcome) => outcome.status)).toEqual([
      "fulfilled",
      "rejected",
      "fulfilled",
      "rejected",
      "fulfilled",
    ]);
    expect(await commitsOf(database)).toBe(before + 1);
    expect(await readCounters(store.db, "")).toEqual({ a: 2, b: 1 });
  });

  test("group commit acknowledges a write only after the commit: another connection can read it then", async () => {
    const { store, target } = await open();
    const other = new Sqlite(target.kind === "sqlite" ? target.path : "");
    const committed = () => other.prepare("select count(*) from counters").pluck().get();
    const works = Array.from({ length: 20 }, (_, index) => async (tx: Tx) => {
      await mark(`mark.${index}`)(tx);
      expect(committed()).toBe(0);
    });
    const acknowledged = works.map((work) => store.write(work).then(committed));
    expect(new Set(await Promise.all(acknowledged))).toEqual(new Set([20]));
    other.close();
  });

  test("callbacks for after the commit run once, and never without a commit", async () => {
    const { store } = await open();
    const happened: string[] = [];
    const telling = (name: string) => async (tx: Tx) => tx.afterCommit(() => happened.push(name));
    const bad = async (tx: Tx) => {
      await telling("bad")(tx);
      throw new Error("a bad work");
    };
    await Promise.allSettled([store.write(telling("a")), store.write<void>(bad), store.write(telling("b"))]);
    expect(happened).toEqual(["a", "b"]);
  });

  test("group commit rejects all transactions of a batch whose commit fails, and goes on with the next one", async () => {
    const { store } = await open();
    const atCommit = async (tx: Tx) => {
      await sql`pragma defer_foreign_keys = on`.execute(tx.db);
      const stray = { job_id: "job_none", position: 0, spec: Buffer.from("") };
      await tx.db.insertInto("specs").values(stray).execute();
    };
    const outcomes = await Promise.allSettled(
      [mark("a"), atCommit, mark("b")].map((work) => store.write<unknown>(work)),
    );
    expect(outcomes.map((outcome) => outcome.status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(await readCounters(store.db, "")).toEqual({});
    expect(await store.write(mark("a"))).toBe(1);
  });

  test("readers wait for the commit instead of seeing writes that may be rolled back", async () => {
    const { store } = await open();
    let read: Promise<unknown> | null = null;
    const failing = store.write(async (tx) => {
      await mark("bad")(tx);
      read = readCounters(store.db, "");
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(await read).toEqual({});
  });

  test("group commit lets requests in between two batches, however many writes follow each other", async () => {
    const { store } = await open();
    let isLetIn = false;
    let writes = 0;
    const chain = async () => {
      while (!isLetIn && writes < 2_000) {
        writes++;
        await store.write(mark("mark"));
      }
    };
    setImmediate(() => setImmediate(() => setImmediate(() => (isLetIn = true))));
    // The second chain joins while the first one's batch is being written, so that there is always one waiting.
    const second = store.write(mark("mark")).then(chain);
    await store.write((tx) => {
      void chain();
      return mark("mark")(tx);
    });
    await second;
    expect(isLetIn).toBe(true);
    expect(writes).toBeLessThan(100);
  });

  test("group commit refuses writes on a closed database", async () => {
    const { store } = await open();
    await store.close();
    await expect(store.write(mark("mark"))).rejects.toThrow();
  });
});

/** Begins work in each of so many ticks of the event loop. */
async function oneATick<T>(ticks: number, begin: (tick: number) => Promise<T> | null) {
  const begun: (Promise<T> | null)[] = [];
  for (let tick = 0; tick < ticks; tick++) {
    begun.push(begin(tick));
    await nextTurn();
  }
  return begun;
}

/** Commits in the write-ahead log: its frames that carry the size of the database (sqlite.org/fileformat2, 4.1). */
async function commitsOf({ target }: Database): Promise<number> {
  const wal = await readFile(`${target.kind === "sqlite" ? target.path : ""}-wal`);
  const frameBytes = 24 + wal.readUInt32BE(8);
  const salts = wal.subarray(16, 24);
  let commits = 0;
  for (let at = 32; at + frameBytes <= wal.length; at += frameBytes) {
    const isCurrent = wal.subarray(at + 8, at + 16).equals(salts);
    if (isCurrent && wal.readUInt32BE(at + 4) > 0) commits++;
  }
  return commits;
}
