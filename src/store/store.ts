// Opening the database, migrating it, and the one way to write: `store.write`, a transaction whose events and
// wake-ups are part of it.
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { type Dialect, Kysely, sql } from "kysely";
import type { EventDraft } from "../domain/event.ts";
import { type Clock, systemClock } from "../lib/clock.ts";
import { DatabaseUnavailable } from "../lib/database-error.ts";
import type { NewId } from "../lib/id.ts";
import { createBatcher, type Together } from "./db/batch.ts";
import { pause, REPEATED_FOR_MS } from "./db/busy-retry.ts";
import { type DatabaseTarget, openDialect } from "./db/dialect.ts";
import { groupCommit, type RunWorks } from "./db/group-commit.ts";
import { isMigrated, migrate } from "./db/migrate.ts";
import { refusalOf } from "./db/opening-error.ts";
import type { Schema } from "./db/schema.ts";
import { Conflict, type Db, type Topic, type Tx, type Work } from "./db/transaction.ts";
import { appendEvents } from "./events.ts";
import { enqueueDeliveries } from "./webhook-outbox.ts";

export interface Store {
  db: Db;
  kind: DatabaseTarget["kind"];
  /** The id of this process among those that share the database. */
  instance: string;
  /** Runs the work in a writing transaction; resolves once it is on disk. Runs it again if another writer came between. */
  write<T>(work: Work<T>): Promise<T>;
  /** As `write`, together with all that is given to the same function in the same turn of the event loop. */
  batchWrite: Together<Tx>;
  /** The same for questions: one statement answers all that ask in the same turn. */
  batchRead: Together<Db>;
  onCommit(listener: (topic: Topic, dueAt: number) => void): void;
  /** Hears of the first write that meets an unavailable database, and (null) of the first one that succeeds again. */
  onOutage(listener: (outage: DatabaseUnavailable | null) => void): void;
  /** Applies what is missing; answers the names. */
  migrate(): Promise<string[]>;
  isMigrated(): Promise<boolean>;
  close(): Promise<void>;
}

export function openStore(
  target: DatabaseTarget,
  clock: Clock,
  newId: NewId,
  dialect: Dialect = open(target),
  instance: string = instanceName(),
): Store {
  const db: Db = new Kysely<Schema>({ dialect });
  const listeners: ((topic: Topic, dueAt: number) => void)[] = [];
  const outageListeners: ((outage: DatabaseUnavailable | null) => void)[] = [];

  /** Works that share a transaction share its moment, and their events are written in one go at its end. */
  const perform: RunWorks = async (trx, works) => {
    const events: EventDraft[] = [];
    const wakes = new Map<Topic, number>();
    const wake = (topic: Topic, dueAt: number) => {
      wakes.set(topic, Math.min(dueAt, wakes.get(topic) ?? dueAt));
    };
    const effects: (() => void)[] = [];
    const afterCommit = (effect: () => void) => void effects.push(effect);
    const now = clock.now();
    const emit = (...drafts: EventDraft[]) => {
      for (const draft of drafts) events.push(draft);
    };
    const results: unknown[] = [];
    for (const work of works)
      results.push(await work({ db: trx, now, newId, instance, emit, wake, afterCommit }));
    if (events.length > 0) {
      const appended = await appendEvents(trx, events, now, newId);
      wake("events", now);
      if (await enqueueDeliveries(trx, appended, newId)) wake("deliver", now);
    }
    return {
      results,
      committed() {
        for (const effect of effects) effect();
        for (const [topic, dueAt] of wakes) for (const listener of listeners) listener(topic, dueAt);
      },
    };
  };

  /** Again if another writer came between, and on a new connection while it is certain that nothing was committed. */
  async function writeAlone<T>(work: Work<T>): Promise<T> {
    /** Counted from the first failure: what stood still for long has a second try. */
    let giveUpAt: number | null = null;
    for (let tries = 1; ; tries++) {
      let isPerformed = false;
      try {
        const { results, committed } = await db.transaction().execute(async (trx) => {
          isPerformed = false;
          const performed = await perform(trx, [work]);
          isPerformed = true;
          return performed;
        });
        committed();
        return results[0] as T;
      } catch (error) {
        giveUpAt ??= systemClock.monotonic() + REPEATED_FOR_MS;
        const isLate = systemClock.monotonic() > giveUpAt;
        if (error instanceof DatabaseUnavailable) {
          if (isPerformed || isLate) throw error;
          await pause(50);
        } else if (!isConflict(error)) throw error;
        else if (tries >= MAX_TRIES || (isLate && isLockTimeout(error))) throw outOfTries(error);
      }
    }
  }

  // SQLite has one writer and pays one fsync per commit: what arrives together is committed together.
  // PostgreSQL has many writers and groups their commits itself.
  const write = watchOutages(target.kind === "sqlite" ? groupCommit(db, perform) : writeAlone, (outage) => {
    for (const listener of outageListeners) listener(outage);
  });

  return {
    db,
    kind: target.kind,
    instance,
    write,
    batchWrite: createBatcher(write),
    batchRead: createBatcher(async (read) => {
      await new Promise((resolve) => setImmediate(resolve));
      return read(db);
    }),
    onCommit: (listener) => void listeners.push(listener),
    onOutage: (listener) => void outageListeners.push(listener),
    migrate: () => migrate(db, target),
    isMigrated: () => isMigrated(db),
    close: () => db.destroy(),
  };
}

/** Tells operators which process it is; two processes never share a name. */
function instanceName(): string {
  return `${hostname()}-${process.pid}-${randomBytes(4).toString("hex")}`;
}

/** @throws DatabaseRefused or an error that names the database */
function open(target: DatabaseTarget): Dialect {
  try {
    return openDialect(target);
  } catch (error) {
    throw refusalOf(target, error);
  }
}

function watchOutages(
  write: Store["write"],
  onChange: (outage: DatabaseUnavailable | null) => void,
): Store["write"] {
  let isAway = false;
  return async (work) => {
    try {
      const result = await write(work);
      if (isAway) onChange(null);
      isAway = false;
      return result;
    } catch (error) {
      if (error instanceof DatabaseUnavailable && !isAway) {
        isAway = true;
        onChange(error);
      }
      throw error;
    }
  };
}

/** Resolves if the database takes writes right now, else rejects with its reason. */
export async function assertWritable(store: Store): Promise<void> {
  await store.write((tx) =>
    tx.db
      .insertInto("counters")
      .values({ name: "ready", value: tx.now })
      .onConflict((c) => c.column("name").doUpdateSet({ value: tx.now }))
      .execute(),
  );
}

/** Bytes on disk. */
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

const MAX_TRIES = 20;

function isConflict(error: unknown): boolean {
  return error instanceof Conflict || CONFLICTS.has(codeOf(error));
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : null;
}

const isLockTimeout = (error: unknown) => codeOf(error) === LOCK_NOT_AVAILABLE;

const SERIALIZATION_FAILURE = "40001";
const DEADLOCK_DETECTED = "40P01";
const LOCK_NOT_AVAILABLE = "55P03";
/** What it refers to was deleted since it was read: tried again, it is not found. */
const FOREIGN_KEY_VIOLATION = "23503";
const CONFLICTS = new Set<unknown>([
  SERIALIZATION_FAILURE,
  DEADLOCK_DETECTED,
  LOCK_NOT_AVAILABLE,
  FOREIGN_KEY_VIOLATION,
]);

/** Nothing is wrong with the work but the company that it is in; a row that it refers to and never finds is a bug. */
function outOfTries(error: unknown): unknown {
  if (codeOf(error) === FOREIGN_KEY_VIOLATION) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new DatabaseUnavailable("busy", `other writers came between, time and again: ${reason}`, error);
}
