// Errors of opening or migrating a database, with its name and the way out.
import SqliteDatabase from "better-sqlite3";
import { DatabaseRefused, DatabaseUnavailable } from "../../lib/database-error.ts";
import { type DatabaseTarget, nameOf } from "./dialect.ts";

export function explainOpeningError(target: DatabaseTarget, error: unknown): unknown {
  const origin = error instanceof DatabaseUnavailable ? error.cause : error;
  if (origin instanceof SqliteDatabase.SqliteError && /^SQLITE_(NOTADB|CORRUPT)/.test(origin.code))
    return new DatabaseRefused(
      78,
      `${nameOf(target)} is damaged, or no SQLite database (${origin.message}): restore a backup, or name another file`,
      error,
    );
  if (!(error instanceof Error) || error instanceof DatabaseRefused) return error;
  return new Error(`${nameOf(target)}: ${error.message}`, { cause: error });
}

export async function namingDatabase<T>(target: DatabaseTarget, open: () => Promise<T> | T): Promise<T> {
  try {
    return await open();
  } catch (error) {
    throw explainOpeningError(target, error);
  }
}
