// One process per SQLite file: a lock of SQLite's own on a file beside it, which the operating system releases.
import { realpathSync } from "node:fs";
import { hostname } from "node:os";
import SqliteDatabase from "better-sqlite3";
import { DatabaseRefused } from "../../lib/database-error.ts";
import { type DatabaseTarget, nameOf } from "./dialect.ts";

/** Returns the function that unlocks. @throws DatabaseRefused while another process holds the lock */
export function lockDatabase(target: DatabaseTarget, now: number): () => void {
  if (target.kind !== "sqlite" || target.path === ":memory:") return () => {};
  const path = `${realpathSync(target.path)}.lock`;
  const lock = locks.get(path) ?? { database: take(path, target, now), users: 0 };
  lock.users++;
  locks.set(path, lock);
  return () => {
    if (--lock.users > 0) return;
    locks.delete(path);
    lock.database.close();
  };
}

const locks = new Map<string, { database: SqliteDatabase.Database; users: number }>();

function take(path: string, target: DatabaseTarget, now: number): SqliteDatabase.Database {
  const database = new SqliteDatabase(path, { timeout: 0 });
  const me = { pid: process.pid, host: hostname(), since: new Date(now).toISOString() };
  const id = `${me.pid} ${me.host} ${me.since}`;
  try {
    // A rollback journal lets other processes read the holder; in memory, because a lock needs no durability.
    database.pragma("journal_mode = MEMORY");
    for (;;) {
      database.exec("begin immediate");
      database.exec("create table if not exists holder (id text, pid integer, host text, since text)");
      const holders = database.prepare("select id from holder").pluck().all();
      // The open transaction is the lock.
      if (holders.length === 1 && holders[0] === id) return database;
      database.exec("delete from holder");
      database.prepare("insert into holder values (?, ?, ?, ?)").run(id, me.pid, me.host, me.since);
      // Commit so that others can read the holder. If another process locks meanwhile, one of the two is refused.
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

/** Null while another process writes the row. */
function holderOf(database: SqliteDatabase.Database): string {
  try {
    const row = database.prepare("select pid, host, since from holder").get();
    const { pid, host, since } = row as { pid: number; host: string; since: string };
    return `process ${pid} on ${host} since ${since}`;
  } catch {
    return "another process";
  }
}
