// Files of exported jobs: NDJSON, one file a day.
import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import type { Db } from "../store/db/transaction.ts";
import { findJobs } from "../store/jobs.ts";
import { exportJob } from "./export-job.ts";

/**
 * Returns a function that resolves once the jobs are on disk, in the file of the day. A job may stand in the files
 * twice: if
 * the process ends before the job is deleted, it is exported again.
 */
export function createExporter(db: Db, folder: string, now: () => number) {
  return async (jobIds: string[]): Promise<void> => {
    if (jobIds.length === 0) return;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const day = new Date(now()).toISOString().slice(0, 10);
    const file = await open(join(folder, `jobs-${day}.ndjson`), "a+", 0o600);
    try {
      // A process that was killed while it wrote has left a part of a line.
      const { size } = await file.stat();
      const last = size === 0 ? null : await file.read(Buffer.alloc(1), 0, 1, size - 1);
      if (last !== null && last.buffer.toString() !== "\n") await file.write("\n");
      for (const job of await findJobs(db, jobIds))
        if (job !== null) for await (const piece of exportJob(db, job)) await file.write(piece);
      await file.sync();
    } finally {
      await file.close();
    }
  };
}
