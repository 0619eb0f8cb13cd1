// Reads the path, query and body of a request.
import { isUtf8 } from "node:buffer";
import type { z } from "zod";
import { structureProblem } from "../contract/json-limits.ts";
import type { ProblemKind } from "../contract/problem.ts";
import { isId } from "../lib/id.ts";
import { checkJson } from "../lib/json.ts";
import { parseAsWritten } from "../lib/json-text.ts";
import type { Caller } from "./auth.ts";
import { readBody } from "./body.ts";
import { invalid, problem } from "./problem.ts";
import type { RequestContext } from "./request-context.ts";
import { jsonPointer, type Reader, type Validated, validate } from "./validate.ts";

export function callerOf(c: RequestContext): Caller {
  const caller = c.get("caller");
  if (caller === null) throw new Error("an open route has no caller");
  return caller;
}

/** Empty, which no row has, if malformed: a database may refuse to look for some texts. */
export function idIn(c: RequestContext, name: keyof typeof prefixes): string {
  const id = c.req.param(name) ?? "";
  return isId(id, prefixes[name]) ? id : "";
}

const prefixes = { job: "job", run: "run", execution: "exe", webhook: "whk", delivery: "dlv" } as const;

/** A repeated parameter is an error. */
export function queryOf<S extends z.ZodType>(c: RequestContext, schema: S): Validated<z.output<S>> {
  const given = Object.entries(c.req.queries());
  const [repeated] = given.find(([, values]) => values.length > 1) ?? [];
  if (repeated !== undefined) {
    const detail = "is given more than once; give one value";
    return { ok: false, errors: [{ pointer: `query:${repeated}`, detail }] };
  }
  const query = Object.fromEntries(given.map(([name, [value]]) => [name, value]));
  return validate(schema, query, { pointer: (path) => `query:${path.map(String).join(".")}` });
}

export type JsonBody<T> = { ok: true; value: T } | { ok: false; answer: Response };

interface ReadJson {
  ok: true;
  value: unknown;
  asWritten: unknown;
}

/** An empty body counts as `{}` if the schema accepts that. */
export async function jsonBody<T>(c: RequestContext, schema: Reader<T>): Promise<JsonBody<T>> {
  const json = await readJson(c, MAX_BYTES, schema.safeParse({}).success ? {} : undefined);
  if (!json.ok) return json;
  const read = validate(schema, json.value);
  return read.ok ? read : { ok: false, answer: invalid(c, read.errors) };
}

/**
 * Refuses bodies that are too large, too deep or hold too many values before it parses them.
 * @param empty the value of an empty body; undefined refuses it
 */
export async function readJson(
  c: RequestContext,
  maxBytes: number,
  empty?: unknown,
): Promise<ReadJson | { ok: false; answer: Response }> {
  const refused = (kind: ProblemKind, detail: string) => ({
    ok: false as const,
    answer: problem(c, kind, detail),
  });
  const encoding = c.req.header("Content-Encoding") ?? "identity";
  if (encoding.trim().toLowerCase() !== "identity")
    return refused("unsupported-encoding", "send the body uncompressed, without Content-Encoding");
  const { bytes, truncated } = await readBody(c.req.raw, maxBytes);
  if (truncated) return refused("body-too-large", `the limit is ${maxBytes / 1024} KiB`);
  if (!isUtf8(bytes)) return refused("invalid-json", "the body is not UTF-8");
  const text = bytes.toString("utf8").replace(/^\uFEFF/, "");
  if (text.trim() === "" && empty !== undefined) return { ok: true, value: empty, asWritten: empty };
  const checked = checkJson(text, { maxDepth: MAX_DEPTH, maxValues: MAX_VALUES });
  if (checked.type === "excess")
    return { ok: false, answer: invalid(c, [{ pointer: "", detail: `holds ${checked.detail}` }]) };
  const json = parseJson(text);
  if (!json.ok) return refused("invalid-json", json.detail);
  const excess = structureProblem(json.value);
  if (excess === null) return json;
  return { ok: false, answer: invalid(c, [{ pointer: jsonPointer(excess.path), detail: excess.message }]) };
}

const MAX_BYTES = 64 * 1024;
/** Deeper than any schema allows, so that validation can name the place; shallow enough to parse. */
const MAX_DEPTH = 1_000;
/** Each value costs some hundred bytes of memory, however short its text. */
const MAX_VALUES = 500_000;

function parseJson(text: string): ReadJson | { ok: false; detail: string } {
  try {
    const value: unknown = JSON.parse(text);
    return { ok: true, value, asWritten: parseAsWritten(text, value) };
  } catch (error) {
    // V8's message quotes the text, which may hold registry logins. Only the position is passed on.
    const [position] = /position \d+/.exec(error instanceof Error ? error.message : "") ?? [];
    const where = position === undefined ? "" : ` at ${position}`;
    return {
      ok: false,
      detail: text === "" ? "the body is empty; send a JSON object" : `cannot be parsed${where}`,
    };
  }
}
