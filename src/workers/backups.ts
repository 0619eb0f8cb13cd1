// Backups by the clock: one per interval, verified, the newest kept.
import type { Context } from "../orchestration/context.ts";
import { backUp, backupPath, listBackups, rotateBackups } from "../store/backup/back-up.ts";
import type { Worker } from "./loop.ts";

export interface BackupOptions {
  /** The SQLite file. */
  source: string;
  folder: string;
  intervalMs: number;
  keep: number;
  now: () => number;
}

export function createBackups({ report }: Context, options: BackupOptions): Worker {
  const { source, folder, intervalMs, keep, now } = options;
  let running: Promise<void> = Promise.resolve();

  async function backUpNow(): Promise<void> {
    const path = backupPath(folder, now());
    const bytes = await backUp(source, path);
    const removed = rotateBackups(folder, keep);
    report.backedUp({ path, bytes, removed });
  }

  return {
    name: "backups",
    async runOnce() {
      // The newest file tells when the last backup was: a restart neither skips one nor makes one too many.
      const [newest] = listBackups(folder);
      const dueAt = newest === undefined ? now() : newest.at + intervalMs;
      if (dueAt > now()) return dueAt;
      running = backUpNow();
      try {
        await running;
      } catch (error) {
        report.fault("backups", error);
        return now() + Math.min(intervalMs, RETRY_MS);
      }
      return now() + intervalMs;
    },
    idle: () => running.catch(() => {}),
  };
}

const RETRY_MS = 5 * 60_000;
