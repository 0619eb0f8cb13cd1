// Checks of the disk under a database that need no write: its free space and its file system.
import { existsSync } from "node:fs";
import { readFile, realpath, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { type Check, failed, passed } from "./check.ts";

export async function checkDisk(path: string): Promise<Check[]> {
  const folder = await folderOf(path);
  return Promise.all([fileSystem(folder), space(folder)]);
}

export async function folderOf(path: string): Promise<string> {
  const folder = dirname(path);
  return existsSync(folder) || folder === path ? realpath(folder) : folderOf(folder);
}

async function fileSystem(folder: string): Promise<Check> {
  const mounts = await readFile("/proc/mounts", "utf8").catch(() => "");
  const type = fileSystemOf(folder, mounts);
  if (type === null) return passed("file system", "unknown on this machine");
  if (!LYING.test(type)) return passed("file system", type);
  return failed(
    "file system",
    `${folder} is on ${type}, where locks and fsync may not hold`,
    "put the database on a local disk, or use PostgreSQL",
  );
}

/** @param mounts the text of /proc/mounts */
export function fileSystemOf(folder: string, mounts: string): string | null {
  const holding = mounts
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, at]) => at !== undefined && `${folder}/`.startsWith(`${unescaped(at).replace(/\/$/, "")}/`))
    .toSorted(([, one = ""], [, other = ""]) => other.length - one.length);
  return holding[0]?.[2] ?? null;
}

function unescaped(text: string): string {
  return text.replace(/\\(\d{3})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** Network and virtual file systems on which SQLite's locks or fsync are not to be trusted. */
const LYING = /^(nfs|cifs|smb|9p|fuse|afs|ceph|gluster|lustre|virtiofs|vboxsf|drvfs|gfs|ocfs|tmpfs)/;

async function space(folder: string): Promise<Check> {
  const { bavail, blocks, bsize } = await statfs(folder);
  const freeGb = (bavail * bsize) / 1e9;
  const share = Math.round((100 * bavail) / Math.max(blocks, 1));
  const detail = `${freeGb.toFixed(1)} GB free (${share} %)`;
  return freeGb >= MIN_FREE_GB ? passed("space", detail) : failed("space", detail, "free or add disk space");
}

const MIN_FREE_GB = 1;
