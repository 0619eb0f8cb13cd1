// Checks of the disk under a SQLite database: its latency, its free space and its file system.
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  statfsSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { type Finding, failed, passed } from "./finding.ts";

/** @param path of the database; it need not exist yet */
export function checkDisk(path: string): Finding[] {
  const folder = existingFolder(path);
  return [fileSystem(folder), space(folder), latency(folder)];
}

function existingFolder(path: string): string {
  const folder = dirname(path);
  return existsSync(folder) || folder === path ? realpathSync(folder) : existingFolder(folder);
}

function fileSystem(folder: string): Finding {
  const mounts = existsSync("/proc/mounts") ? readFileSync("/proc/mounts", "utf8") : "";
  const type = fileSystemOf(folder, mounts);
  if (type === null) return passed("file system", "unknown on this machine");
  if (!LYING.test(type)) return passed("file system", type);
  return failed(
    "file system",
    `${folder} is on ${type}, where locks and fsync may not hold`,
    "put the database on a local disk, or use PostgreSQL",
  );
}

/** The type of the file system that holds the folder, from the text of /proc/mounts. */
export function fileSystemOf(folder: string, mounts: string): string | null {
  const holding = mounts
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, at]) => at !== undefined && `${folder}/`.startsWith(`${unescaped(at).replace(/\/$/, "")}/`))
    .toSorted(([, one = ""], [, other = ""]) => other.length - one.length);
  return holding[0]?.[2] ?? null;
}

/** Spaces stand as octal numbers. */
function unescaped(text: string): string {
  return text.replace(/\\(\d{3})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** Network and virtual file systems on which SQLite's locks or fsync are not to be trusted. */
const LYING = /^(nfs|cifs|smb|9p|fuse|afs|ceph|gluster|lustre|virtiofs|vboxsf|drvfs|gfs|ocfs|tmpfs)/;

function space(folder: string): Finding {
  const { bavail, blocks, bsize } = statfsSync(folder);
  const freeGb = (bavail * bsize) / 1e9;
  const share = Math.round((100 * bavail) / Math.max(blocks, 1));
  const detail = `${freeGb.toFixed(1)} GB free (${share} %)`;
  return freeGb >= MIN_FREE_GB ? passed("space", detail) : failed("space", detail, "free or add disk space");
}

const MIN_FREE_GB = 1;

/** An fsync is paid by each commit. */
function latency(folder: string): Finding {
  const path = join(folder, `.proctor-doctor-${process.pid}`);
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
