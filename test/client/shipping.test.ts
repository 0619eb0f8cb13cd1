// The client as it ships: emitted with the types of a browser and without those of Node, and in need of nothing.
import { execFileSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

test("the emitted client imports nothing but itself, and can be loaded", async () => {
  const folder = mkdtempSync(join(tmpdir(), "proctor-client-"));
  try {
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    execFileSync(process.execPath, [tsc, "-p", "tsconfig.client.json", "--outDir", folder], { cwd: root });
    const scripts = globSync("**/*.js", { cwd: folder });
    const imported = scripts.flatMap((name) =>
      [...readFileSync(join(folder, name), "utf8").matchAll(/\b(?:from|import) "([^"]+)"/g)].map(
        ([, path = ""]) => (path.startsWith(".") ? join(dirname(name), path) : path),
      ),
    );
    expect(imported.length).toBeGreaterThan(5);
    expect(imported.filter((path) => !scripts.includes(path))).toEqual([]);
    expect(scripts.filter((name) => !/^(client|lib)\//.test(name))).toEqual([]);
    // With the plain loader of Node: that of the tests would take more than a program does.
    const program = `import { createClient, verifyWebhook } from "${pathToFileURL(join(folder, "client/client.js"))}"; console.log(typeof createClient, typeof verifyWebhook)`;
    const said = execFileSync(process.execPath, ["--input-type=module", "--eval", program], {
      encoding: "utf8",
    });
    expect(said).toBe("function function\n");
    expect(globSync("client/client.d.ts", { cwd: folder })).toHaveLength(1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
