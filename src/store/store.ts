// The database of the service. `store.write` is the way to write: a transaction with its events and wake-ups. Only
// statements that nothing else belongs to are appended without one.
import { randomBytes } from "node:crypto";
import { statSync } from "node:fs";
import { hostname } from "node:os";
import { type Dialect, Kysely, sql } from "kysely";
import type { EventDraft } from "../domain/event.ts";
import { type Clock, systemClock, systemTimers, type Timers } from "../lib/clock.ts";
import { DatabaseUnavailable } from "../lib/database-error.ts";
import type { NewId } from "../lib/id.ts";
import { nextTurn } from "../lib/next-turn.ts";
import { type Batcher, createBatcher } from "./db/batch.ts";
import { MAX_RETRY_MS, pause, retryWhileUnavailable } from "./db/busy-retry.ts";
import { isConflict, isLockTimeout, outOfTries } from "./db/conflict.ts";
import { type DatabaseTarget, openDialect } from "./db/dialect.ts";
import { type Commit, groupCommit, type RunWrites } from "./db/group-commit.ts";
import { isMigrated, migrate } from "./db/migrate.ts";
import { explainOpeningError } from "./db/opening-error.ts";
import { outageWatch } from "./db/outage-watch.ts";
import type { Schema } from "./db/schema.ts";
import { MAX_IN_ONE_STATEMENT } from "./db/statements.ts";
import type { Append, Db, Topic, Tx, Write } from "./db/transaction.ts";
import { appendEvents } from "./events.ts";
import { addStats } from "./stats.ts";
import { enqueueDeliveries } from "./webhook-outbox.ts";

export interface Store {
  db: Db;
  kind: DatabaseTarget["kind"];
  instance: string;
  /** Resolves once on disk. A conflict with another writer runs it again. */
  write<T>(run: Write<T>): Promise<T>;
  /** Shares a transaction with the items of the same function and tick. */
  batchWrite: Batcher<Tx>;
  /** For single statements that may be repeated: PostgreSQL commits them without a transaction, in one round trip. */
  batchAppend: Batcher<Append>;
  /** Shares a query with the items of the same function and tick. */
  batchRead: Batcher<Db>;
  onCommit(listener: (topic: Topic, dueAt: number) => void): void;
  /** The first error of an unavailable database; null when a write succeeds again. */
  onOutage(listener: (outage: DatabaseUnavailable | null) => void): void;
  onWritten(listener: (commit: Commit) => void): void;
  migrate(): Promise<string[]>;
  isMigrated(): Promise<boolean>;
  close(): Promise<void>;
  isClosed(): boolean;
}

/** Parts that a test or a simulation replaces. */
export interface StoreParts {
  dialect?: Dialect | undefined;
  instance?: string | undefined;
  timers?: Timers;
}

export function openStore(
  target: DatabaseTarget,
  clock: Clock,
  newId: NewId,
  { dialect = open(target), instance = instanceName(), timers = systemTimers }: StoreParts = {},
): Store {
  const db: Db = new Kysely<Schema>({ dialect });
  const listeners: ((topic: Topic, dueAt: number) => void)[] = [];
  const writtenListeners: ((commit: Commit) => void)[] = [];
  const written = (commit: Commit) => {
    for (const listener of writtenListeners) listener(commit);
  };
  let isClosed = false;
  const outageListeners: ((outage: DatabaseUnavailable | null) => void)[] = [];

  /** Items of one transaction share its time, and their events are written together at its end. */
  const runWrites: RunWrites = async (trx, writes) => {
    const events: EventDraft[] = [];
    const wakes = new Map<Topic, number>();
    const wake = (topic: Topic, dueAt: number) => {
      wakes.set(topic, Math.min(dueAt, wakes.get(topic) ?? dueAt));
    };
    const effects: (() => void)[] = [];
    const endings: { name: string; write: () => Promise<unknown> }[] = [];
    const atEnd: Tx["atEnd"] = (name, write) => void endings.push({ name, write });
    const afterCommit = (effect: () => void) => void effects.push(effect);
    const now = clock.now();
    const emit = (...drafts: EventDraft[]) => {
      for (const draft of drafts) events.push(draft);
    };
    const counts = new Map<string, number>();
    const count = (name: string, by: number) => void counts.set(name, (counts.get(name) ?? 0) + by);
    const results: unknown[] = [];
    for (const write of writes)
      results.push(await write({ db: trx, now, newId, instance, emit, count, wake, atEnd, afterCommit }));
    endings.sort((one, other) => (one.name < other.name ? -1 : 1));
    for (const { write } of endings) await write();
    if (events.length > 0) {
      const appended = await appendEvents(trx, events, now);
      wake("events", now);
      if (await enqueueDeliveries(trx, appended, newId)) wake("deliver", now);
    }
    // Last, so that on PostgreSQL its rows are locked for the shortest time.
    if (counts.size > 0) await addStats(trx, now, instance, counts);
    return {
      results,
      committed() {
        for (const effect of effects) effect();
        for (const [topic, dueAt] of wakes) for (const listener of listeners) listener(topic, dueAt);
      },
    };
  };

  /** Repeats on a conflict, and on a new connection as long as nothing can have been committed. */
  async function writeAlone<T>(run: Write<T>): Promise<T> {
    /** Counted from the first failure, so that a transaction that hung for long is tried twice. */
    let giveUpAt: number | null = null;
    for (let tries = 1; ; tries++) {
      let hasRun = false;
      const startedAt = systemClock.monotonic();
      try {
        const { results, committed } = await db.transaction().execute(async (trx) => {
          hasRun = false;
          const result = await runWrites(trx, [run]);
          hasRun = true;
          return result;
        });
        written({ writes: 1, durationMs: systemClock.monotonic() - startedAt });
        committed();
        return results[0] as T;
      } catch (error) {
        giveUpAt ??= systemClock.monotonic() + MAX_RETRY_MS;
        const isLate = systemClock.monotonic() > giveUpAt;
        if (error instanceof DatabaseUnavailable) {
          if (hasRun || isLate) throw error;
          await pause(50, timers);
        } else if (!isConflict(error)) throw error;
        else if (tries >= MAX_TRIES || (isLate && isLockTimeout(error))) throw outOfTries(error);
      }
    }
  }

  /** A statement whose answer was lost is repeated, too. */
  async function append<T>(run: Write<T>): Promise<T> {
    // All items of this turn join the batch.
    await nextTurn();
    const startedAt = systemClock.monotonic();
    const { results, committed } = await retryWhileUnavailable(() => runWrites(db, [run]));
    written({ writes: 1, durationMs: systemClock.monotonic() - startedAt });
    committed();
    return results[0] as T;
  }

  // SQLite has one writer and one fsync per commit. PostgreSQL groups the commits of its writers itself.
  const isSqlite = target.kind === "sqlite";
  const watched = outageWatch((outage) => {
    for (const listener of outageListeners) listener(outage);
  });
  const commits = groupCommit(db, runWrites, clock, written);
  const write = watched(isSqlite ? commits.write : writeAlone);
  // PostgreSQL runs one batch of a kind at a time: waiting for the same rows, batches of one would queue.
  const batchWrite = createBatcher(write, isSqlite ? { onJoin: commits.joined } : { maxAtOnce: 1 });

  return {
    db,
    kind: target.kind,
    instance,
    write,
    batchWrite,
    batchAppend: isSqlite
      ? batchWrite
      : createBatcher(watched(append), { maxAtOnce: 1, maxItems: MAX_IN_ONE_STATEMENT }),
    batchRead: createBatcher(async (read) => {
      await nextTurn();
      return read(db);
    }),
    onCommit: (listener) => void listeners.push(listener),
    onWritten: (listener) => void writtenListeners.push(listener),
    onOutage: (listener) => void outageListeners.push(listener),
    migrate: () => migrate(db, target),
    isMigrated: () => isMigrated(db),
    async close() {
      isClosed = true;
      await db.destroy();
    },
    isClosed: () => isClosed,
  };
}

/** Two processes never share a name. */
function instanceName(): string {
  return `${hostname()}-${process.pid}-${randomBytes(4).toString("hex")}`;
}

function open(target: DatabaseTarget): Dialect {
  try {
    return openDialect(target);
  } catch (error) {
    throw explainOpeningError(target, error);
  }
}

export async function assertWritable(store: Store): Promise<void> {
  await store.write((tx) =>
    tx.db
      .insertInto("counters")
      .values({ name: "ready", value: tx.now })
      .onConflict((c) => c.column("name").doUpdateSet({ value: tx.now }))
      .execute(),
  );
}

export async function databaseBytes(store: Store): Promise<number> {
  const query =
    store.kind === "sqlite"
      ? sql<{
          bytes: number;
        }>`select page_count * page_size as bytes from pragma_page_count(), pragma_page_size()`
      : sql<{ bytes: number }>`select pg_database_size(current_database()) as bytes`;
  const { rows } = await query.execute(store.db);
  return rows[0]?.bytes ?? 0;
}

/** Copies SQLite's write-ahead log into its file as far as readers allow. PostgreSQL does so by itself. */
export async function checkpoint(store: Store): Promise<void> {
  if (store.kind === "sqlite") await sql`pragma wal_checkpoint(passive)`.execute(store.db);
}

/** SQLite's write-ahead log grows while a checkpoint cannot end; null on PostgreSQL. */
export async function walBytes(store: Store): Promise<number | null> {
  if (store.kind !== "sqlite") return null;
  const query = sql<{ file: string }>`select file from pragma_database_list where name = 'main'`;
  const { rows } = await query.execute(store.db);
  const wal = statSync(`${rows[0]?.file ?? ""}-wal`, { throwIfNoEntry: false });
  return wal?.size ?? 0;
}

const MAX_TRIES = 20;
