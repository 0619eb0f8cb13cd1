// Backups of a SQLite database: copies in a folder, named by their time, of which the newest are kept.
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { removeDatabase } from "./copy.ts";

export interface Backup {
  path: string;
  at: number;
}

/** @returns the backup's size in bytes */
export async function backUp(source: string, target: string): Promise<number> {
  const thread = new Worker(THREAD, { workerData: { source, target } });
  return (await once(thread, "message"))[0];
}

const THREAD = new URL(
  import.meta.url.endsWith(".ts") ? "./copy-thread.ts" : "./copy-thread.js",
  import.meta.url,
);

export function backupPath(folder: string, at: number): string {
  const time = new Date(at).toISOString().slice(0, 19).replaceAll(":", "-");
  return join(folder, `proctor-${time}Z.db`);
}

export function listBackups(folder: string): Backup[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .flatMap((name) => {
      const [, day, hour, minute, second] =
        /^proctor-(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)Z\.db$/.exec(name) ?? [];
      const at = Date.parse(`${day}T${hour}:${minute}:${second}Z`);
      return Number.isNaN(at) ? [] : [{ path: join(folder, name), at }];
    })
    .toSorted((one, other) => other.at - one.at);
}

/** @returns how many backups were removed */
export function rotateBackups(folder: string, keep: number): number {
  const old = listBackups(folder).slice(keep);
  for (const { path } of old) removeDatabase(path);
  return old.length;
}
