// Opening the database, migrating it, and the one way to write: `store.write`, a transaction whose events and
// wake-ups are part of it.
import { type Dialect, Kysely, sql } from "kysely";
import { Migrator } from "kysely/migration";
import { migrations } from "../../migrations/index.ts";
import type { Clock } from "../domain/clock.ts";
import type { EventDraft } from "../domain/event.ts";
import type { NewId } from "../domain/id.ts";
import { type DatabaseTarget, openDialect } from "./dialect.ts";
import { appendEvents } from "./events.ts";
import { groupCommit, type Perform } from "./groupcommit.ts";
import { insertNotices } from "./notices.ts";
import type { Schema } from "./schema.ts";
import { type Together, together } from "./together.ts";
import { Conflict, type Db, type Topic, type Tx, type Work } from "./transaction.ts";

export interface Store {
  db: Db;
  kind: DatabaseTarget["kind"];
  /** Runs the work in a writing transaction; resolves once it is on disk. Runs it again if another writer came between. */
  write<T>(work: Work<T>): Promise<T>;
  /** As `write`, together with all that is given to the same function in the same turn of the event loop. */
  writeTogether: Together<Tx>;
  /** The same for questions: one statement answers all that ask in the same turn. */
  readTogether: Together<Db>;
  onCommit(listener: (topic: Topic, dueAt: number) => void): void;
  /** Applies what is missing; answers the names. */
  migrate(): Promise<string[]>;
  isMigrated(): Promise<boolean>;
  close(): Promise<void>;
}

export function openStore(
  target: DatabaseTarget,
  clock: Clock,
  newId: NewId,
  dialect: Dialect = openDialect(target),
): Store {
  const db: Db = new Kysely<Schema>({ dialect });
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const listeners: ((topic: Topic, dueAt: number) => void)[] = [];

  /** Works that share a transaction share its moment, and their events are written in one go at its end. */
  const perform: Perform = async (trx, works) => {
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
    for (const work of works) results.push(await work({ db: trx, now, newId, emit, wake, afterCommit }));
    if (events.length > 0) {
      const appended = await appendEvents(trx, events, now, newId);
      wake("events", now);
      if (await insertNotices(trx, appended, newId)) wake("deliver", now);
    }
    return {
      results,
      committed() {
        for (const effect of effects) effect();
        for (const [topic, dueAt] of wakes) for (const listener of listeners) listener(topic, dueAt);
      },
    };
  };

  async function writeAlone<T>(work: Work<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        const { results, committed } = await db.transaction().execute((trx) => perform(trx, [work]));
        committed();
        return results[0] as T;
      } catch (error) {
        if (tries >= MOST_TRIES || !isConflict(error)) throw error;
      }
    }
  }

  // SQLite has one writer and pays one fsync per commit: what arrives together is committed together.
  // PostgreSQL has many writers and groups their commits itself.
  const write = target.kind === "sqlite" ? groupCommit(db, perform) : writeAlone;

  return {
    db,
    kind: target.kind,
    write,
    writeTogether: together(write),
    readTogether: together(async (read) => {
      await new Promise((resolve) => setImmediate(resolve));
      return read(db);
    }),
    onCommit: (listener) => void listeners.push(listener),
    async migrate() {
      const { error, results } = await migrator.migrateToLatest();
      if (error !== undefined) throw error;
      return (results ?? []).map((result) => result.migrationName);
    },
    async isMigrated() {
      const known = await migrator.getMigrations();
      return known.every((migration) => migration.executedAt !== undefined);
    },
    close: () => db.destroy(),
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

const MOST_TRIES = 20;

function isConflict(error: unknown): boolean {
  if (error instanceof Conflict) return true;
  const code = error instanceof Error && "code" in error ? error.code : null;
  return code === SERIALIZATION_FAILURE || code === DEADLOCK_DETECTED || code === FOREIGN_KEY_VIOLATION;
}

const SERIALIZATION_FAILURE = "40001";
const DEADLOCK_DETECTED = "40P01";
/** What it refers to was deleted since it was read: tried again, it is not found. */
const FOREIGN_KEY_VIOLATION = "23503";
