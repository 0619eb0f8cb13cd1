// What a script needs from beside it: the local modules that it imports, and theirs, and its requirements.txt.
import { readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { read } from "./connection.ts";
import { type Import, importsOf } from "./imports.ts";
import { UsageError } from "./outcome.ts";

export interface Gathered {
  /** Path from the script's folder, with slashes, to text. */
  files: Record<string, string>;
  requirements: string | null;
}

/** Only files below the script's folder count: everything else is a package, or Python's own. */
export function gather(script: string): Gathered {
  const root = dirname(resolve(script));
  const files: Record<string, string> = {};
  let bytes = 0;
  const open: { folder: string[]; imports: Import[] }[] = [{ folder: [], imports: importsOf(read(script)) }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const path of next.imports.flatMap((one) => candidates(one, next.folder))) {
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

/** The service takes 1,000 files, and a body of 8 MiB in which they are escaped. */
const MAX_FILES = 1_000;
const MAX_BYTES = 6 * 1024 * 1024;

/** Where the files of an import may be, as parts of a path. @param folder that of the importing file */
function candidates({ level, module, names }: Import, folder: string[]): string[][] {
  // More dots than folders lead out.
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
