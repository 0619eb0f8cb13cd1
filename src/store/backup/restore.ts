// Puts a backup in the place of a database that no service uses.
import { existsSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseRefused } from "../../lib/database-error.ts";
import { lockDatabase } from "../db/sqlite-lock.ts";
import { copyDatabase, syncPath } from "./copy.ts";

export interface RestoreOptions {
  /** False refuses if there is a database already; true moves it aside. */
  replace: boolean;
  now: number;
  /** Changes the copy before it takes its place. */
  prepare(path: string): Promise<void>;
}

/**
 * @returns the path of the former database, or null.
 * @throws DatabaseRefused when the backup is damaged or the database is in use or present
 */
export async function restoreFile(
  backup: string,
  path: string,
  { replace, now, prepare }: RestoreOptions,
): Promise<string | null> {
  const isPresent = existsSync(path);
  const unlock = isPresent ? lockDatabase({ kind: "sqlite", path }, now) : () => {};
  try {
    if (isPresent && !replace)
      throw new DatabaseRefused(
        78,
        `${path} exists: --replace moves it aside and restores the backup in its place`,
      );
    const fresh = `${path}.restored`;
    await copyDatabase(backup, fresh);
    await prepare(fresh);
    rmSync(`${fresh}.lock`, { force: true });
    const former = `${path}.before-${new Date(now).toISOString().slice(0, 19).replaceAll(":", "-")}Z`;
    // Also what a lost database left: its journal would be applied to the backup.
    for (const suffix of ["-wal", "-shm", ""])
      if (existsSync(path + suffix)) renameSync(path + suffix, former + suffix);
    renameSync(fresh, path);
    syncPath(dirname(path));
    return isPresent ? former : null;
  } finally {
    unlock();
  }
}
