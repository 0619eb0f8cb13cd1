// The rules of a release, each as a function that answers what is wrong.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface Manifest {
  name?: string;
  version?: string;
  license?: string;
  description?: string;
  files?: string[];
  bin?: Record<string, string>;
  exports?: Record<string, unknown>;
  publishConfig?: { provenance?: boolean; access?: string };
}

/** Checks the fields of package.json that publishing with provenance needs. */
export function manifestProblems(manifest: Manifest): string[] {
  const missing = (["name", "version", "license", "description", "files"] as const).filter(
    (field) => manifest[field] === undefined,
  );
  return [
    ...missing.map((field) => `package.json has no ${field}`),
    ...(manifest.publishConfig?.provenance === true ? [] : ["publishConfig.provenance is not true"]),
    ...(/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(manifest.version ?? "") ? [] : ["version is not semantic"]),
  ];
}

/** Paths that no package may hold: tests, settings, databases, maps and what else is not its own. */
const FOREIGN = /(^|\/)(test|bench|\.env[^/]*|node_modules|data)(\/|$)|\.(db|db-wal|map|tgz|tsbuildinfo)$/;

/** Lists the paths in a package's archive. */
export function contentProblems(paths: readonly string[], required: readonly string[]): string[] {
  return [
    ...required.filter((path) => !paths.includes(path)).map((path) => `the archive lacks ${path}`),
    ...paths.filter((path) => FOREIGN.test(path)).map((path) => `the archive holds ${path}`),
  ];
}

/** The changelog must have a dated section of the version, with an entry, and nothing that is still unreleased. */
export function changelogProblems(text: string, version: string): string[] {
  const sections = text.split(/^## /m).slice(1);
  const own = sections.find(
    (section) => section.startsWith(`${version} `) || section.startsWith(`[${version}]`),
  );
  const unreleased = sections.find((section) => /^\[?Unreleased/.test(section));
  return [
    ...(own === undefined ? [`CHANGELOG.md has no section "## ${version} - YYYY-MM-DD"`] : []),
    ...(own !== undefined && !/^\S+ - \d{4}-\d{2}-\d{2}\n/.test(own)
      ? [`the section ${version} has no date`]
      : []),
    ...(own !== undefined && !/^- /m.test(own) ? [`the section ${version} is empty`] : []),
    ...(unreleased !== undefined && /^- /m.test(unreleased) ? ["CHANGELOG.md has unreleased entries"] : []),
  ];
}

/** The newest released version in the changelog before this one; null before the first release. */
export function previousOf(changelog: string, version: string): string | null {
  const released = [...changelog.matchAll(/^## \[?(\d+\.\d+\.\d+)\]? - /gm)].map(([, found = ""]) => found);
  return released.find((found) => found !== version) ?? null;
}

/** Files that name the version beside package.json. */
export function versionProblems(root: string, version: string): string[] {
  const read = (path: string) => readFileSync(join(root, path), "utf8");
  const lock = JSON.parse(read("package-lock.json")) as { version: string };
  const images = [...read("ops/kubernetes/proctor.yaml").matchAll(/image: (?:&\w+ )?\S+:(\S+)/g)].map(
    ([, tag]) => tag,
  );
  return [
    ...(lock.version === version ? [] : [`package-lock.json says ${lock.version}`]),
    ...images.filter((tag) => tag !== version).map((tag) => `ops/kubernetes/proctor.yaml runs ${tag}`),
  ];
}

/** An upgrade is tested from a database of the release before, kept as a fixture under its version. */
export function fixtureProblems(root: string, previous: string | null): string[] {
  if (previous === null) return [];
  const path = `test/upgrade/fixtures/${previous}.json`;
  return existsSync(join(root, path))
    ? []
    : [`${path} is missing: the upgrade from ${previous} is not tested`];
}
