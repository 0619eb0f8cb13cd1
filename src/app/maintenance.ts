// Work on a database of this machine that needs no running service.
import type { Config } from "../config.ts";
import { systemClock } from "../lib/clock.ts";
import { DatabaseRefused } from "../lib/database-error.ts";
import { idSource } from "../lib/id.ts";
import { backUp, backupPath } from "../store/backup/back-up.ts";
import { restoreFile } from "../store/backup/restore.ts";
import { namingDatabase } from "../store/db/opening-error.ts";
import { lockDatabase } from "../store/db/sqlite-lock.ts";
import { markRestored } from "../store/restored.ts";
import { openStore } from "../store/store.ts";

type Database = Config["database"];

/** The database may be in use. @throws DatabaseRefused */
export async function backup(
  database: Database,
  target: { path: string } | { folder: string },
): Promise<{ path: string; bytes: number }> {
  if (database.kind !== "sqlite")
    throw new DatabaseRefused(
      78,
      "proctor backup is for SQLite: PostgreSQL has pg_dump and point-in-time recovery",
    );
  const path = "path" in target ? target.path : backupPath(target.folder, systemClock.now());
  return { path, bytes: await backUp(database.path, path) };
}

export interface Restoration {
  formerPath: string | null;
  /** Starts since this moment are searched for at Lyceum before the service starts anything. */
  since: number;
}

/** A backup of SQLite, which is marked as restored. @throws DatabaseRefused */
export async function restore(database: Database, file: string, replace: boolean): Promise<Restoration> {
  if (database.kind !== "sqlite")
    throw new DatabaseRefused(
      78,
      "proctor restore is for SQLite: restore PostgreSQL with its own tools, then run proctor restore --mark",
    );
  let since = 0;
  const prepare = async (path: string) => {
    since = await mark({ kind: "sqlite", path });
  };
  const formerPath = await restoreFile(file, database.path, { replace, now: systemClock.now(), prepare });
  return { formerPath, since };
}

/** For a restore by other means. Returns the moment since which starts are searched for. @throws DatabaseRefused */
export async function mark(database: Database): Promise<number> {
  const store = openStore(database, systemClock, idSource(systemClock));
  try {
    return await namingDatabase(database, async () => {
      const unlock = lockDatabase(database, systemClock.now());
      try {
        await store.migrate();
        return await store.write((tx) => markRestored(tx.db));
      } finally {
        unlock();
      }
    });
  } finally {
    await store.close();
  }
}

export { poolerMode } from "../store/db/pooler.ts";
