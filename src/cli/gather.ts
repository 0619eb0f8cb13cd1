// Finds the files that a script needs: its local imports, recursively, and requirements.txt.
import { readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { read } from "./connection.ts";
import { type Import, importsOf } from "./imports.ts";
import { UsageError } from "./outcome.ts";

export interface Gathered {
  /** Text by path from the script's folder, with slashes. */
  files: Record<string, string>;
  requirements: string | null;
}

/** Only files below the script's folder are included: other modules are packages. */
export function gather(script: string): Gathered {
  const root = dirname(resolve(script));
  const files: Record<string, string> = {};
  let bytes = 0;
  const open: { folder: string[]; imports: Import[] }[] = [{ folder: [], imports: importsOf(read(script)) }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const path of next.imports.flatMap((imported) => candidates(imported, next.folder))) {
      const name = path.join("/");
      if (Object.hasOwn(files, name) || resolve(root, name) === resolve(script)) continue;
      if (!isFile(join(root, name))) continue;
      const text = readFileSync(join(root, name), "utf8");
      files[name] = text;
      bytes += Buffer.byteLength(text);
      if (Object.keys(files).length > MAX_FILES || bytes > MAX_BYTES)
        throw new UsageError(`the local imports of ${script} are more than ${MAX_FILES} files or 6 MiB`);
      open.push({ folder: path.slice(0, -1), imports: importsOf(text) });
    }
  }
  const requirements = join(root, "requirements.txt");
  return { files, requirements: isFile(requirements) ? readFileSync(requirements, "utf8") : null };
}

/** The service's limits are 1,000 files, and 8 MiB for a body that holds them escaped. */
const MAX_FILES = 1_000;
const MAX_BYTES = 6 * 1024 * 1024;

/** @param folder of the importing file */
function candidates({ level, module, names }: Import, folder: string[]): string[][] {
  // More dots than folders would leave the script's folder.
  if (level > folder.length + 1) return [];
  const base = level === 0 ? [] : folder.slice(0, folder.length - (level - 1));
  const target = [...base, ...module];
  const packages = target.map((_, index) => [...target.slice(0, index + 1), "__init__.py"]);
  const modules = [target, ...names.map((name) => [...target, name])].filter((path) => path.length > 0);
  return [
    ...packages,
    ...modules.flatMap((path) => [
      [...path.slice(0, -1), `${path.at(-1)}.py`],
      [...path, "__init__.py"],
    ]),
  ];
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
