// Backups by the clock: one per interval, verified, the newest kept.
import { statSync } from "node:fs";
import type { Context } from "../orchestration/context.ts";
import { backUp, backupPath, listBackups, rotateBackups } from "../store/backup/back-up.ts";
import type { Worker } from "./loop.ts";

export interface BackupOptions {
  source: string;
  folder: string;
  intervalMs: number;
  keep: number;
  now: () => number;
}

export interface BackupState {
  at: number;
  bytes: number;
  intervalMs: number;
}

export interface Backups extends Worker {
  state(): BackupState;
}

export function createBackups({ report }: Context, options: BackupOptions): Backups {
  const { source, folder, intervalMs, keep, now } = options;
  let running: Promise<void> = Promise.resolve();
  let state: BackupState = { at: now(), bytes: 0, intervalMs };

  async function backUpNow(at: number): Promise<void> {
    const path = backupPath(folder, at);
    const bytes = await backUp(source, path);
    state = { at, bytes, intervalMs };
    report.backedUp({ path, bytes, removed: rotateBackups(folder, keep) });
  }

  return {
    name: "backups",
    state: () => state,
    async runOnce() {
      // The newest file tells when the last backup was: a restart neither skips one nor makes one too many.
      const [newest] = listBackups(folder);
      if (newest !== undefined) state = { at: newest.at, bytes: statSync(newest.path).size, intervalMs };
      const dueAt = newest === undefined ? now() : newest.at + intervalMs;
      if (dueAt > now()) return dueAt;
      running = backUpNow(now());
      try {
        await running;
      } catch (error) {
        report.backupFailed(error);
        return now() + Math.min(intervalMs, RETRY_MS);
      }
      return now() + intervalMs;
    },
    idle: () => running.catch(() => {}),
  };
}

const RETRY_MS = 5 * 60_000;
