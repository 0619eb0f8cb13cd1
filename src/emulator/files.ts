// `import_files`: a JSON document inside a string, from relative path to file text [lyceum-cli].
import * as z from "zod";

const schema = z.record(z.string(), z.string());

type ReadFiles = { ok: true; files: Record<string, string> } | { ok: false; problem: string };

/** Accepts only an object of texts whose paths stay inside the run's folder. */
export function filesFrom(text: string | null | undefined): ReadFiles {
  if (text === null || text === undefined || text === "") return { ok: true, files: {} };
  const parsed = schema.safeParse(parseJson(text));
  if (!parsed.success) return { ok: false, problem: "Should be a JSON object of path to text" };
  const outside = Object.keys(parsed.data).find((path) => !staysInside(path));
  if (outside !== undefined) return { ok: false, problem: `Path is not inside the run's folder: ${outside}` };
  return { ok: true, files: parsed.data };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Invalid JSON fails the schema, which has the message.
    return undefined;
  }
}

function staysInside(path: string): boolean {
  if (path.startsWith("/") || path.includes("\\") || path.includes("\0")) return false;
  return path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}
