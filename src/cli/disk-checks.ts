// The latency of the disk under a SQLite database.
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type Check, failed, passed } from "../lib/check.ts";
import { folderOf } from "../lib/disk.ts";

/** An fsync is paid by each commit. */
export async function checkLatency(database: string): Promise<Check> {
  const path = join(await folderOf(database), `.proctor-doctor-${process.pid}`);
  const file = openSync(path, "wx", 0o600);
  try {
    const times = Array.from({ length: FSYNCS }, () => {
      const startedAt = performance.now();
      writeSync(file, Buffer.alloc(4_096));
      fsyncSync(file);
      return performance.now() - startedAt;
    }).toSorted((one, other) => one - other);
    const [median = 0, slowest = 0] = [times[Math.floor(FSYNCS / 2)], times.at(-1)];
    const detail = `fsync ${median.toFixed(1)} ms, ${slowest.toFixed(1)} ms at most`;
    if (median < MAX_FSYNC_MS) return passed("disk", detail);
    return failed("disk", detail, "each commit waits for this: use a faster disk");
  } finally {
    closeSync(file);
    rmSync(path, { force: true });
  }
}

const FSYNCS = 11;
const MAX_FSYNC_MS = 50;
