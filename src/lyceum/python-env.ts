// Environment variables for Python code. Lyceum has no field for them, so a first statement in the code sets them.

import { parseJson } from "../lib/json-text.ts";
import { pythonValue, withStatement } from "../lib/python-source.ts";
import { isObject } from "./lenient-values.ts";

/**
 * An .ipynb document (`isNotebook`) gets a first cell. Code with a `%%` cell magic has no room and fails at Lyceum.
 */
export function withEnvironment(code: string, env: Record<string, string>, isNotebook = false): string {
  if (Object.keys(env).length === 0) return code;
  const statement = `__import__("os").environ.update(${pythonValue(env)})`;
  const notebook = isNotebook ? readNotebook(code) : null;
  if (notebook) {
    const cell = { cell_type: "code", execution_count: null, metadata: {}, outputs: [], source: [statement] };
    return JSON.stringify({ ...notebook, cells: [cell, ...notebook.cells] });
  }
  return withStatement(code, statement);
}

function readNotebook(code: string): ({ cells: unknown[] } & Record<string, unknown>) | null {
  if (!code.trimStart().startsWith("{")) return null;
  const document = parseJson(code);
  return isObject(document) && Array.isArray(document.cells) ? { ...document, cells: document.cells } : null;
}
