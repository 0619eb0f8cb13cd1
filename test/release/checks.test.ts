// Each rule of a release is seen to fail, and holds for the repository as it is.
import { expect, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { root } from "../ops/service-facts.ts";
import {
  changelogProblems,
  contentProblems,
  fixtureProblems,
  manifestProblems,
  previousOf,
  versionProblems,
} from "./checks.ts";

test("the manifest of the server can be published, and one without provenance or files cannot", () => {
  expect(manifestProblems(packageJson)).toEqual([]);
  const { files: _, ...rest } = packageJson;
  expect(manifestProblems({ ...rest, publishConfig: {}, version: "1" })).toEqual([
    "package.json has no files",
    "publishConfig.provenance is not true",
    "version is not semantic",
  ]);
});

test("an archive without its README, or with a test, settings or a database, is refused", () => {
  const paths = ["bin/proctor.js", "dist/src/cli.js", "test/x.js", ".env", "dist/proctor.db"];
  expect(contentProblems(paths, ["README.md", "bin/proctor.js"])).toEqual([
    "the archive lacks README.md",
    "the archive holds test/x.js",
    "the archive holds .env",
    "the archive holds dist/proctor.db",
  ]);
});

test("a release needs a dated section with entries, and leaves none unreleased", () => {
  const good =
    "# Changelog\n\n## Unreleased\n\n## 1.2.0 - 2026-12-01\n\n- A thing.\n\n## 1.1.0 - 2026-11-01\n\n- Older.\n";
  expect(changelogProblems(good, "1.2.0")).toEqual([]);
  expect(changelogProblems(good, "1.3.0")).toEqual(['CHANGELOG.md has no section "## 1.3.0 - YYYY-MM-DD"']);
  expect(changelogProblems(good.replace(" - 2026-12-01", " - soon"), "1.2.0")).toEqual([
    "the section 1.2.0 has no date",
  ]);
  expect(changelogProblems(good.replace("- A thing.", ""), "1.2.0")).toEqual(["the section 1.2.0 is empty"]);
  expect(changelogProblems(good.replace("## Unreleased\n", "## Unreleased\n\n- New.\n"), "1.2.0")).toEqual([
    "CHANGELOG.md has unreleased entries",
  ]);
  expect(previousOf(good, "1.2.0")).toBe("1.1.0");
  expect(previousOf(good, "1.3.0")).toBe("1.2.0");
  expect(previousOf("## Unreleased\n", "0.1.0")).toBeNull();
});

test("files that name another version than package.json are found", () => {
  expect(versionProblems(root, packageJson.version)).toEqual([]);
  expect(versionProblems(root, "9.9.9")).toEqual([
    `package-lock.json says ${packageJson.version}`,
    `ops/kubernetes/proctor.yaml runs ${packageJson.version}`,
  ]);
});

test("a release without a database of the release before is refused", () => {
  expect(fixtureProblems(root, null)).toEqual([]);
  expect(fixtureProblems(root, "0.0.9")).toEqual([
    "test/upgrade/fixtures/0.0.9.json is missing: the upgrade from 0.0.9 is not tested",
  ]);
});
