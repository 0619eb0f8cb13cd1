// Requests made from the OpenAPI document alone: such as it allows, and such as it forbids.
import type { Json } from "./client.ts";
import { faults, type Published, resolved } from "./conformance.ts";

export interface Wanted {
  path: string;
  headers: Record<string, string>;
  body?: unknown;
  /** The document says so: it must be refused. */
  isWrong: boolean;
  /** The parameter of query or header that it is about. */
  parameter?: string;
}

/** Values that exist, by the parameter's name; in a path the first goes with the first of the others. */
export type Ids = Record<string, string[]>;

export function requestsFor(published: Published, ids: Ids): Wanted[] {
  const { operation } = published;
  const [good = "", ...others] = pathsOf(published.path, ids);
  const plain = [good, ...others].map((path) => ({
    path,
    headers: {},
    isWrong: false,
    ...goodBody(operation),
  }));
  const about = [
    ...parametersOf(published, good, ids),
    ...bodiesOf(operation).map((one) => ({ path: good, headers: {}, ...one })),
  ];
  return [...about, ...plain].flatMap((one) => accepts(operation).map((Accept) => accepting(one, Accept)));
}

function accepting(wanted: Wanted, Accept: string): Wanted {
  return { ...wanted, headers: { Accept, ...wanted.headers } };
}

/** Every way in which a success can be had. */
function accepts(operation: Json): string[] {
  return Object.keys(operation.responses[200]?.content ?? { "*/*": {} });
}

/** The path with the first of all values, then with every other value of each parameter. */
function pathsOf(template: string, ids: Ids): string[] {
  const names = [...template.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
  const valuesOf = (name: string) => ids[name] ?? [];
  const filled = (chosen: Record<string, string>) =>
    names.reduce((path, name) => path.replace(`{${name}}`, chosen[name] ?? ""), template);
  const first = Object.fromEntries(names.map((name) => [name, valuesOf(name)[0] ?? ""]));
  const rest = names.flatMap((name) =>
    valuesOf(name)
      .slice(1)
      .map((value) => filled({ ...first, [name]: value })),
  );
  return [filled(first), ...rest];
}

const texts = [
  "",
  "x",
  "-1",
  "0",
  "1",
  "1001",
  "99999999999999999",
  "0.5",
  "true",
  "1ms",
  "2026-13-40",
  "a\tb",
  "%",
];

function parametersOf({ operation }: Published, path: string, ids: Ids): Wanted[] {
  const parameters = operation.parameters.map(resolved).filter((one: Json) => one.in !== "path");
  const each = parameters.flatMap(({ name, in: place, schema }: Json) =>
    [...new Set([...texts, ...samplesOf(schema), ...(ids[name] ?? [])])].flatMap((text): Wanted[] => {
      const isWrong = faults(schema, readAs(schema, text)).length > 0 && name !== "X-Request-Id";
      const about = { isWrong, parameter: name, ...goodBody(operation) };
      if (place === "query")
        return [{ path: `${path}?${new URLSearchParams({ [name]: text })}`, headers: {}, ...about }];
      // Blanks at the edge are not part of a header's value, and many programs drop an empty header.
      const request = { path, headers: { [name]: text }, ...about };
      // Twice, since some headers make a second request another one.
      return text === "" ? [] : [request, request];
    }),
  );
  const isGuarded = operation.security === undefined;
  return [...each, { path: `${path}?colour=red`, headers: {}, isWrong: isGuarded, ...goodBody(operation) }];
}

function readAs({ type }: Json, text: string): unknown {
  return type === "integer" && /^-?\d+$/.test(text) ? Number(text) : text;
}

function samplesOf({ examples = [], enum: words = [], format }: Json): string[] {
  const now = new Date().toISOString();
  const time = format === "date-time" ? [now] : format === "date" ? [now.slice(0, 10)] : [];
  return [...examples, ...words, ...time].map(String);
}

function mediaOf(operation: Json): Json {
  return operation.requestBody?.content["application/json"];
}

function goodBody(operation: Json): { body?: unknown } {
  const [first] = Object.values<Json>(mediaOf(operation)?.examples ?? {});
  return first === undefined ? {} : { body: first.value };
}

const values = [null, true, 0, -1, 0.5, 1e9, "", "x", "a\nb", "x".repeat(300), [], ["x"], {}, { x: 1 }];

/** Each example; texts that are no such thing; and the first example with one value changed, removed or added. */
function bodiesOf(operation: Json): { body: unknown; isWrong: boolean }[] {
  const media = mediaOf(operation);
  if (media === undefined) return [];
  const schema = resolved(media.schema);
  const all = Object.values<Json>(media.examples).map((one) => one.value);
  const broken = ["{", "nul", "\u0000", '"x"', "[]", "7"].map((body) => ({ body, isWrong: true }));
  const changed = changesOf(all[0], schema).map((body) => ({
    body,
    isWrong: faults(media.schema, body).length > 0,
  }));
  return [...all.map((body) => ({ body, isWrong: false })), ...broken, ...changed];
}

function changesOf(value: Json, node: Json): Json[] {
  const schema = choiceOf(resolved(node), value);
  if (Array.isArray(value)) {
    const [first, ...others] = value;
    return changesOf(first, schema.items ?? {}).map((changed) => [changed, ...others]);
  }
  if (typeof value !== "object" || value === null || schema.properties === undefined) return [];
  const added = { ...value, colour: "red" };
  const each = Object.entries<Json>(schema.properties).flatMap(([name, inner]) => {
    const { [name]: present, ...without } = value;
    const replaced = values.map((other) => ({ ...value, [name]: other }));
    const nested =
      present === undefined ? [] : changesOf(present, inner).map((other) => ({ ...value, [name]: other }));
    return [without, ...replaced, ...nested];
  });
  return [added, ...each];
}

/** Picks the schema that the value's discriminator names. */
function choiceOf(schema: Json, value: Json): Json {
  const { discriminator } = schema;
  return discriminator === undefined
    ? schema
    : resolved({ $ref: discriminator.mapping[value[discriminator.propertyName]] });
}
