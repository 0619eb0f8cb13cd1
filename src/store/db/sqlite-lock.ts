// One process on a SQLite file: whoever starts the service, or migrates, holds a lock that the system releases with the
// process, however it ends. The lock is SQLite's own, on a file beside the database, and names its holder.
import { realpathSync } from "node:fs";
import { hostname } from "node:os";
import SqliteDatabase from "better-sqlite3";
import { DatabaseRefused } from "../../lib/database-error.ts";
import { type DatabaseTarget, nameOf } from "./dialect.ts";

/** Answers how to let go. @throws DatabaseRefused while another process has the database */
export function lockDatabase(target: DatabaseTarget, now: number): () => void {
  if (target.kind !== "sqlite" || target.path === ":memory:") return () => {};
  const path = `${realpathSync(target.path)}.lock`;
  const held = heldHere.get(path) ?? { database: take(path, target, now), users: 0 };
  held.users++;
  heldHere.set(path, held);
  return () => {
    if (--held.users > 0) return;
    heldHere.delete(path);
    held.database.close();
  };
}

/** The lock is the process's: what runs in one process shares it, as a service does that is started anew there. */
const heldHere = new Map<string, { database: SqliteDatabase.Database; users: number }>();

function take(path: string, target: DatabaseTarget, now: number): SqliteDatabase.Database {
  const database = new SqliteDatabase(path, { timeout: 0 });
  const me = { pid: process.pid, host: hostname(), since: new Date(now).toISOString() };
  const id = `${me.pid} ${me.host} ${me.since}`;
  try {
    // A rollback journal lets others read who holds the lock; in memory, since a lock needs no durability.
    database.pragma("journal_mode = MEMORY");
    for (;;) {
      database.exec("begin immediate");
      database.exec("create table if not exists holder (id text, pid integer, host text, since text)");
      const named = database.prepare("select id from holder").pluck().all();
      // The transaction stays open: it is the lock.
      if (named.length === 1 && named[0] === id) return database;
      database.exec("delete from holder");
      database.prepare("insert into holder values (?, ?, ?, ?)").run(id, me.pid, me.host, me.since);
      // Now everybody can read it. If another process comes between, one of the two is refused.
      database.exec("commit");
    }
  } catch (error) {
    const isTaken = error instanceof SqliteDatabase.SqliteError && error.code.startsWith("SQLITE_BUSY");
    const holder = isTaken ? holderOf(database) : "";
    database.close();
    if (!isTaken) throw error;
    throw new DatabaseRefused(
      75,
      `${nameOf(target)} is in use by ${holder}. A SQLite file has one process: stop the other one first, or name another file`,
    );
  }
}

/** While it is being written nobody can read it. */
function holderOf(database: SqliteDatabase.Database): string {
  try {
    const row = database.prepare("select pid, host, since from holder").get();
    const { pid, host, since } = row as { pid: number; host: string; since: string };
    return `process ${pid} on ${host} since ${since}`;
  } catch {
    return "another process";
  }
}
