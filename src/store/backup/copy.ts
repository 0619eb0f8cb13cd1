// Copies a SQLite database that is in use. The copy has its name only when it is whole, verified and on disk.
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import SqliteDatabase from "better-sqlite3";
import { DatabaseRefused } from "../../lib/database-error.ts";

/**
 * @param target must not be in use; an existing file is replaced. @returns the copy's bytes. @throws DatabaseRefused
 */
export async function copyDatabase(source: string, target: string): Promise<number> {
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
  const part = `${target}.part`;
  removeDatabase(part);
  // The copy holds registry logins and webhook secrets, as its source does.
  closeSync(openSync(part, "wx", 0o600));
  try {
    await copy(source, part);
    verify(part);
    syncPath(part);
    renameSync(part, target);
    syncPath(dirname(target));
    return statSync(target).size;
  } catch (error) {
    removeDatabase(part);
    throw refusalOf(error);
  }
}

export function removeDatabase(path: string): void {
  for (const suffix of ["", "-wal", "-shm", "-journal"]) rmSync(path + suffix, { force: true });
}

async function copy(source: string, target: string): Promise<void> {
  const database = openExisting(source);
  try {
    // One snapshot: without a transaction, SQLite would begin anew with each commit of another connection.
    database.exec("begin");
    database.prepare("select count(*) from sqlite_schema").get();
    await database.backup(target, { progress: () => PAGES_PER_STEP });
  } finally {
    database.close();
  }
}

/** Few enough that one step takes some milliseconds. */
const PAGES_PER_STEP = 1_000;

function refusalOf(error: unknown): unknown {
  if (!(error instanceof SqliteDatabase.SqliteError) || !/^SQLITE_(NOTADB|CORRUPT)/.test(error.code))
    return error;
  return new DatabaseRefused(78, `the file is damaged, or no SQLite database (${error.message})`, error);
}

function openExisting(path: string): SqliteDatabase.Database {
  try {
    return new SqliteDatabase(path, { readonly: true, fileMustExist: true });
  } catch (error) {
    throw new DatabaseRefused(78, `${path} cannot be opened (${(error as Error).message})`, error);
  }
}

/** Leaves the copy as a single file, and reads all of it. */
function verify(path: string): void {
  const database = new SqliteDatabase(path);
  try {
    database.pragma("journal_mode = DELETE");
    const problems = database.pragma("integrity_check(1)", { simple: true });
    if (problems !== "ok") throw new DatabaseRefused(78, `the copy is damaged: ${problems}`);
    const tables = database.prepare("select count(*) from sqlite_schema where name = 'jobs'").pluck().get();
    if (tables !== 1) throw new DatabaseRefused(78, "the file is no database of Proctor");
  } finally {
    database.close();
  }
}

export function syncPath(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
