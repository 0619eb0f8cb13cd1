// Every TypeScript block of the documents compiles strictly as it stands, and those marked `run` do what they say.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { documents, root } from "./support/documents.ts";
import { apiKeys, startService } from "./support/service.ts";

const run = promisify(execFile);

interface Block {
  name: string;
  code: string;
  runs: boolean;
  /** Its document's folder, from which its relative imports are read. */
  folder: string;
}

function blocks(): Block[] {
  return documents().flatMap(({ path, text }) =>
    [...text.matchAll(/^```ts( run)?\n([\s\S]*?)^```$/gm)].map(([, isRun, code = ""], index) => ({
      name: `${path.replaceAll(/[/.]/g, "-")}-${index + 1}.ts`,
      code,
      runs: isRun !== undefined,
      folder: join(root, path, ".."),
    })),
  );
}

function workplace(parent: string): string {
  const folder = mkdtempSync(join(parent, "proctor-docs-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

test("every TypeScript block of the documents compiles in strict mode", async () => {
  const all = blocks();
  expect(all.length).toBeGreaterThan(3);
  // Inside the project, where the packages that the blocks import are found.
  const folder = workplace(join(root, "node_modules"));
  for (const { name, code, folder: from } of all) {
    const placed = code.replaceAll(/from "\.\//g, `from "${from}/`);
    writeFileSync(join(folder, name), `${placed}\nexport {};\n`);
  }
  const config = {
    extends: join(root, "tsconfig.json"),
    // Nothing beyond what a reader has: an unused name is no mistake in an example.
    compilerOptions: {
      noUnusedLocals: false,
      paths: Object.fromEntries(
        ["proctor/client", "@proctor/client"].map((name) => [name, [join(root, "src/client/client.ts")]]),
      ),
    },
    include: ["*.ts"],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const outcome = await run(process.execPath, [tsc, "-p", folder], { cwd: root }).catch(
    (error: { stdout: string }) => error,
  );
  expect(outcome.stdout).toBe("");
});

test("the blocks that are marked to run do so against a real service", async () => {
  const folder = workplace(tmpdir());
  const running = blocks().filter(({ runs }) => runs);
  expect(running.map(({ name }) => name)).toContain("README-md-1.ts");
  for (const { name, code } of running) {
    await using service = await startService();
    const client = join(root, "src/client/client.ts");
    const placed = code
      .replaceAll('"proctor/client"', JSON.stringify(client))
      .replaceAll("https://proctor.example.com", service.url());
    const file = join(folder, name.replace(/ts$/, "mts"));
    writeFileSync(file, placed);
    const env = { ...process.env, PROCTOR_URL: service.url(), PROCTOR_API_KEY: apiKeys.ann };
    const { stdout } = await run(process.execPath, [file], { env });
    expect(stdout.trimEnd().split("\n").at(-1)).toBe("succeeded");
  }
});
