// `proctor/emulator` as other projects import it for their own tests: built, with types, loaded by plain Node.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

test("the built emulator starts, takes switches and stops", { timeout: 120_000 }, () => {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const { types, default: script } = exports["./emulator"] as Record<"types" | "default", string>;
  // Inside the project, so that its packages are found.
  mkdirSync(join(root, "dist"), { recursive: true });
  const folder = mkdtempSync(join(root, "dist/emulator-"));
  try {
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    execFileSync(process.execPath, [tsc, "-p", "tsconfig.emulator.json", "--outDir", folder], { cwd: root });
    const built = (path: string) => join(folder, path.replace("./dist/src/", ""));
    expect(existsSync(built(types))).toBe(true);
    const program = `
      import { startEmulator } from ${JSON.stringify(pathToFileURL(built(script)).href)};
      const emulator = await startEmulator({ chaos: { pending: "1s" } });
      emulator.setChaos({ pending: 0 });
      const { status } = await fetch(emulator.url + "/workloads/list", { headers: { Authorization: "Bearer lk_emulator" } });
      const calls = emulator.calls().length;
      await emulator.close();
      console.log(status, calls);`;
    const said = execFileSync(process.execPath, ["--input-type=module", "--eval", program], {
      encoding: "utf8",
    });
    expect(said).toBe("200 1\n");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
