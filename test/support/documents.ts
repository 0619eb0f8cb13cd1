// The Markdown files of the repository.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Document {
  /** Relative to the repository's root. */
  path: string;
  text: string;
}

export const root = fileURLToPath(new URL("../..", import.meta.url));

export function documents(): Document[] {
  return execFileSync("git", ["ls-files", "*.md"], { cwd: root, encoding: "utf8" })
    .split("\n")
    .filter((path) => path !== "")
    .map((path) => ({ path, text: read(path) }));
}

/** @param path relative to the repository's root. */
export function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}
