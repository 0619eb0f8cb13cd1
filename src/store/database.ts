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
import { groupCommit } from "./groupcommit.ts";
import { insertNotices } from "./notices.ts";
import type { Schema } from "./schema.ts";
import { type Together, together } from "./together.ts";
import {
  Conflict,
  type Db,
  type Performed,
  type Topic,
  type Tx,
  type Wake,
  type Work,
} from "./transaction.ts";

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

  async function perform<T>(trx: Db, work: Work<T>): Promise<Performed<T>> {
    const events: EventDraft[] = [];
    const wakes: Wake[] = [];
    const now = clock.now();
    const emit = (...drafts: EventDraft[]) => void events.push(...drafts);
    const result = await work({
      db: trx,
      now,
      newId,
      emit,
      wake: (topic, dueAt) => void wakes.push([topic, dueAt]),
    });
    if (events.length > 0) {
      const appended = await appendEvents(trx, events, now, newId);
      wakes.push(["events", now]);
      if (await insertNotices(trx, appended, newId)) wakes.push(["deliver", now]);
    }
    return { result, wakes };
  }

  async function performAlone<T>(work: Work<T>): Promise<Performed<T>> {
    for (let tries = 1; ; tries++) {
      try {
        return await db.transaction().execute((trx) => perform(trx, work));
      } catch (error) {
        if (tries >= MOST_TRIES || !isConflict(error)) throw error;
      }
    }
  }

  // SQLite has one writer and pays one fsync per commit: what arrives together is committed together.
  // PostgreSQL has many writers and groups their commits itself.
  const performOne = target.kind === "sqlite" ? groupCommit(db, perform) : performAlone;

  async function write<T>(work: Work<T>): Promise<T> {
    const { result, wakes } = await performOne(work);
    for (const [topic, dueAt] of wakes) for (const listener of listeners) listener(topic, dueAt);
    return result;
  }

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
