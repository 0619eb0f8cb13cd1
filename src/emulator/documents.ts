// Sends documents, with values replaced by the switch `fields`.
import type { Context } from "hono";
import type { Execution } from "./execution.ts";
import { oddValue } from "./odd.ts";
import type { DocumentName, OddName } from "./switches/documents.ts";
import type { Env, World } from "./world.ts";

type Document = Record<string, unknown>;

export function send(
  c: Context<Env>,
  world: World,
  name: DocumentName,
  document: Document,
  execution?: Execution,
): Response {
  return sendText(c, written(world, name, document, execution));
}

/** @param text JSON, possibly broken by the switches */
export function sendText(c: Context<Env>, text: string): Response {
  return c.body(text, 200, { "Content-Type": "application/json" });
}

export function written(world: World, name: DocumentName, document: Document, execution?: Execution): string {
  const { chaos, ledger } = world;
  const { fields, fields_when } = execution === undefined ? chaos.current() : chaos.of(execution);
  const changes = Object.entries(fields)
    .filter(([field]) => field.startsWith(`${name}.`))
    .map(([field, value]) => [field.slice(name.length + 1), value] as const);
  if (changes.length === 0 || !chaos.happens("fields", fields_when)) return JSON.stringify(document);

  const members = new Map(Object.entries(document).map(([field, value]) => [field, JSON.stringify(value)]));
  for (const [field, value] of changes) {
    const raw = value.startsWith("@") ? oddValue(value.slice(1) as OddName, ledger, execution) : value;
    if (raw === undefined) members.delete(field);
    else members.set(field, raw);
  }
  return `{${[...members].map(([field, value]) => `${JSON.stringify(field)}:${value}`).join(",")}}`;
}
