// The package @proctor/client as people get it: packed, installed offline in an empty folder, and loaded as modules and as
// CommonJS by old and new Node, with types for old and new compilers.
import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const source = join(root, "packages/client");
const folder = mkdtempSync(join(tmpdir(), "proctor-client-"));
let packed: { filename: string; files: { path: string }[] };

beforeAll(() => {
  const answer = npm(["pack", "--json", "--pack-destination", folder], source);
  [packed] = JSON.parse(answer.slice(answer.indexOf("[\n")));
  writeFileSync(join(folder, "package.json"), '{"private": true}');
  npm(["install", "--offline", "--no-package-lock", join(folder, packed.filename)], folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

test("the package holds the client with README and licence, and depends on nothing", () => {
  const paths = packed.files.map(({ path }) => path);
  expect(paths).toEqual(expect.arrayContaining(["README.md", "LICENSE", "package.json"]));
  expect(
    paths.filter((path) => !/^(dist\/(esm|cjs)\/|README\.md$|LICENSE$|package\.json$)/.test(path)),
  ).toEqual([]);
  expect(paths.filter((path) => path.endsWith(".ts") && !path.endsWith(".d.ts"))).toEqual([]);
  const manifest = JSON.parse(
    readFileSync(join(folder, "node_modules/@proctor/client/package.json"), "utf8"),
  );
  expect(manifest).not.toHaveProperty("dependencies");
  expect(manifest.version).toBe(JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version);
});

const body = `
  const job = await createClient({ url: process.argv[2], apiKey: "k".repeat(32) }).job("job_1");
  console.log(process.versions.node.split(".")[0], job.id, typeof verifyWebhook, new ProctorError({ code: "x", message: "y" }) instanceof Error);`;
const programs = {
  "module.mjs": `import { createClient, ProctorError, verifyWebhook } from "@proctor/client";${body}`,
  "common.cjs": `const { createClient, ProctorError, verifyWebhook } = require("@proctor/client");\n(async () => {${body}\n})();`,
};
/** Node beside the Node that runs the tests, where the machine has another version. */
const others = ["/usr/local/bin/node", "/usr/bin/node"].filter((path) => existsSync(path));
const nodes = [...new Map([process.execPath, ...others].map((path) => [versionOf(path), path]))];

describe.each(nodes)("under Node %s", (version, node) => {
  it.each(Object.entries(programs))("%s loads the package and talks to a service", async (name, text) => {
    writeFileSync(join(folder, name), text);
    const server = createServer((_request, response) => response.end('{"id": "job_1"}'));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const said = await output(node, [join(folder, name), url]);
    server.close();
    expect(said).toBe(`${version.split(".")[0]} job_1 function true\n`);
  });
});

describe("types", () => {
  const program = `
import { createClient, type Job, ProctorError, type Usage, type ProctorEvent } from "@proctor/client";
const client = createClient({ url: "http://127.0.0.1" });
export async function run(): Promise<Job> {
  const event: ProctorEvent["type"] = "job.succeeded";
  // @ts-expect-error kinds of run are known
  await client.submit({ runs: [{ kind: "pyhton", code: event }] });
  const total: Usage["total"]["executions"] = (await client.usage()).total.executions;
  // @ts-expect-error a number is no text
  const text: string = total;
  if (new ProctorError({ code: "not-found", message: text }).code === "queue-full") return client.job("job_1");
  return client.submit({ runs: [{ kind: "python", code: "1" }] });
}`;
  it.each([
    ["node10", ["--module", "commonjs", "--moduleResolution", "node10"]],
    ["nodenext, modules", ["--module", "nodenext", "--moduleResolution", "nodenext"]],
    ["bundler", ["--module", "esnext", "--moduleResolution", "bundler"]],
  ])("the resolution %s finds them", (name, options) => {
    const place = join(folder, `types-${name.replace(/\W+/g, "-")}`);
    mkdirSync(place);
    writeFileSync(join(place, "use.ts"), program);
    const tsc = join(source, "node_modules/typescript/bin/tsc");
    const words = [tsc, "--noEmit", "--strict", "--target", "es2022", "--lib", "es2022,dom"];
    execFileSync(process.execPath, [...words, ...options, join(place, "use.ts")], { encoding: "utf8" });
  });
});

function npm(words: string[], cwd: string): string {
  return execFileSync("npm", words, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function versionOf(node: string): string {
  return execFileSync(node, ["--version"], { encoding: "utf8" }).trim().slice(1);
}

function output(node: string, words: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(node, words, (error, stdout) => (error === null ? resolve(stdout) : reject(error)));
  });
}
