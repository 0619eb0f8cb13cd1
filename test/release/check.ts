// npm run release-check [-- --tag v1.2.3]: packs each package as it would be published, installs and runs the result, and
// compares what names the version. With a tag also what must be true at the moment of a release. Publishes nothing.
import { execFileSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import {
  changelogProblems,
  contentProblems,
  fixtureProblems,
  type Manifest,
  manifestProblems,
  previousOf,
  versionProblems,
} from "./checks.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const { tag } = parseArgs({ options: { tag: { type: "string" } } }).values;
const workplace = mkdtempSync(join(tmpdir(), "proctor-release-"));

try {
  const problems = [...general(), ...folders().flatMap(packageProblems)];
  for (const problem of problems) console.error(`✘ ${problem}`);
  if (problems.length === 0) console.log("✔ ready: the packages hold what they should, install and run");
  process.exitCode = problems.length === 0 ? 0 : 1;
} finally {
  rmSync(workplace, { recursive: true });
}

function general(): string[] {
  const { version = "" } = manifestOf(root);
  const changelog = readFileSync(join(root, "CHANGELOG.md"), "utf8");
  const always = [
    ...versionProblems(root, version),
    ...fixtureProblems(root, previousOf(changelog, version)),
  ];
  if (tag === undefined) return always;
  const changes = execFileSync("git", ["status", "--porcelain"], { cwd: root, encoding: "utf8" });
  return [
    ...always,
    ...changelogProblems(changelog, version),
    ...(tag === `v${version}` ? [] : [`the tag ${tag} is not v${version}`]),
    ...(changes === "" ? [] : ["there are changes that are not committed"]),
  ];
}

/** The server, and every package of its own that lives beside it. */
function folders(): string[] {
  return [root, ...globSync("packages/*/package.json", { cwd: root }).map((path) => join(root, path, ".."))];
}

function packageProblems(folder: string): string[] {
  const manifest = manifestOf(folder);
  const { archive, paths } = pack(folder);
  const required = ["package.json", "README.md", "LICENSE", ...Object.values(manifest.bin ?? {})];
  const problems = [
    ...manifestProblems(manifest),
    ...contentProblems(paths, required),
    ...run(archive, manifest),
  ];
  return problems.map((problem) => `${manifest.name}: ${problem}`);
}

/** Builds and packs into the workplace; npm reports the archive and what is in it. */
function pack(folder: string): { archive: string; paths: string[] } {
  const answer = npm(["pack", "--json", "--pack-destination", workplace], folder);
  const [packed] = JSON.parse(answer.slice(answer.indexOf("[\n"))) as {
    filename: string;
    files: { path: string }[];
  }[];
  if (packed === undefined) throw new Error(`npm packed nothing: ${answer}`);
  return { archive: join(workplace, packed.filename), paths: packed.files.map(({ path }) => path) };
}

/** Installs the archive where nothing else is, and calls what it brings. */
function run(archive: string, { name = "", bin = {}, version, exports = {} }: Manifest): string[] {
  const folder = mkdtempSync(join(workplace, "installed-"));
  npm(["install", "--no-save", "--omit=dev", "--prefer-offline", "--no-package-lock", archive], folder);
  const node = (...words: string[]) =>
    execFileSync(process.execPath, words, { cwd: folder, encoding: "utf8" });
  const problems = Object.keys(bin).flatMap((command) => {
    const script = join(folder, "node_modules", name, bin[command] ?? "");
    const said = node(script, "--version").trim();
    return said === version ? [] : [`${command} --version says ${said}`];
  });
  for (const entry of Object.keys(exports).filter((path) => !path.endsWith(".json"))) {
    const specifier = join(name, entry).replaceAll("\\", "/");
    node("--input-type=module", "--eval", `await import(${JSON.stringify(specifier)})`);
  }
  return problems;
}

function npm(words: string[], cwd: string): string {
  return execFileSync("npm", words, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

function manifestOf(folder: string): Manifest {
  const path = join(folder, "package.json");
  if (!existsSync(path)) throw new Error(`${path} is missing`);
  return JSON.parse(readFileSync(path, "utf8")) as Manifest;
}
