// The shape of a route, and how routes read what they are given.
import { isUtf8 } from "node:buffer";
import type { z } from "zod";
import { excessIn } from "../contract/excess.ts";
import type { Operation } from "../contract/operation.ts";
import { isId } from "../domain/id.ts";
import type { Access, Caller } from "./auth.ts";
import { readBody } from "./body.ts";
import type { Call, Desk } from "./call.ts";
import { invalid, problem } from "./problem.ts";
import { jsonPointer, type Reader, type Validated, validate } from "./validate.ts";

export interface Route {
  method: "GET" | "POST" | "DELETE";
  /** Hono's template; also what logs and metrics call the route. */
  path: string;
  access: Access;
  /** What is published of it. */
  operation: Operation;
  handle(c: Call, desk: Desk): Promise<Response>;
}

/** The caller of a route that asks for one. */
export function callerOf(c: Call): Caller {
  const caller = c.get("caller");
  if (caller === null) throw new Error("this route is open: it has no caller");
  return caller;
}

/** The id in the path; empty, and so found nowhere, for what cannot be one: a database may not take every text. */
export function idIn(c: Call, name: keyof typeof prefixes): string {
  const id = c.req.param(name) ?? "";
  return isId(id, prefixes[name]) ? id : "";
}

const prefixes = { job: "job", run: "run", execution: "exe", webhook: "whk", delivery: "dlv" } as const;

/** The query's parameters, each of which is given once. */
export function queryOf<S extends z.ZodType>(c: Call, schema: S): Validated<z.output<S>> {
  const given = Object.entries(c.req.queries());
  const [repeated] = given.find(([, values]) => values.length > 1) ?? [];
  if (repeated !== undefined) {
    const detail = "is given more than once; give it one value";
    return { ok: false, errors: [{ pointer: `query:${repeated}`, detail }] };
  }
  const query = Object.fromEntries(given.map(([name, [value]]) => [name, value]));
  return validate(schema, query, { pointer: (path) => `query:${path.map(String).join(".")}` });
}

export type JsonBody<T> = { ok: true; value: T; text: string } | { ok: false; answer: Response };

/** A JSON body against its schema. An empty one counts as `{}` where the schema is content with that. */
export async function jsonBody<T>(
  c: Call,
  schema: Reader<T>,
  { max = 64 * 1024, hints = {} }: { max?: number; hints?: Record<string, string> } = {},
): Promise<JsonBody<T>> {
  const { bytes, truncated } = await readBody(c.req.raw, max);
  if (truncated)
    return { ok: false, answer: problem(c, "body-too-large", `at most ${max / 1024} KiB are taken here`) };
  if (!isUtf8(bytes)) return { ok: false, answer: problem(c, "invalid-json", "the body is not UTF-8") };
  const text = bytes.toString("utf8");
  const json = parseJson(text.trim() === "" && schema.safeParse({}).success ? "{}" : text);
  if (!json.ok) return { ok: false, answer: problem(c, "invalid-json", json.detail) };
  const excess = excessIn(json.value);
  if (excess !== null)
    return { ok: false, answer: invalid(c, [{ pointer: jsonPointer(excess.path), detail: excess.message }]) };
  const read = validate(schema, json.value, { hints });
  return read.ok ? { ...read, text } : { ok: false, answer: invalid(c, read.errors) };
}

function parseJson(text: string): { ok: true; value: unknown } | { ok: false; detail: string } {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    // V8's message quotes the text, which may hold registry logins: only the position is told.
    const [position] = /position \d+/.exec(error instanceof Error ? error.message : "") ?? [];
    const where = position === undefined ? "" : ` at ${position}`;
    return {
      ok: false,
      detail: text === "" ? "the body is empty; send a JSON object" : `cannot be parsed${where}`,
    };
  }
}
