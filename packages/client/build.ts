// Builds the package from src/client: ECMAScript modules and CommonJS, each with types that old compilers read, too.
import { execFileSync } from "node:child_process";
import { cpSync, globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".", import.meta.url));
const tsc = join(folder, "node_modules/typescript/bin/tsc");
const forms = [
  { name: "esm", type: "module", options: ["--module", "nodenext", "--verbatimModuleSyntax"] },
  { name: "cjs", type: "commonjs", options: ["--module", "commonjs", "--moduleResolution", "node10"] },
];

/** Another place than `dist` may be named. */
const dist = process.argv[2] ?? join(folder, "dist");
rmSync(dist, { recursive: true, force: true });
for (const { name, type, options } of forms) {
  const out = join(dist, name);
  execFileSync(process.execPath, [tsc, "-p", join(folder, "tsconfig.json"), "--outDir", out, ...options], {
    stdio: "inherit",
  });
  writeFileSync(join(out, "package.json"), `${JSON.stringify({ type })}\n`);
  // Declarations keep the sources' endings, which only new compilers follow.
  for (const path of globSync("**/*.d.ts", { cwd: out })) {
    const file = join(out, path);
    writeFileSync(
      file,
      readFileSync(file, "utf8").replaceAll(/(from|import\()( ?"\.[^"]+)\.ts"/g, '$1$2.js"'),
    );
  }
}
cpSync(join(folder, "../../LICENSE"), join(folder, "LICENSE"));
