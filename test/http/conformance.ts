// Answers held against the OpenAPI document, more strictly than the document itself: what it does not name, is wrong.

import type { ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { routes } from "../../src/http/app.ts";
import { openApiOf } from "../../src/http/reference/openapi.ts";
import type { Json } from "./client.ts";

export const document: Json = JSON.parse(JSON.stringify(openApiOf(routes, "0.0.0")));

export interface Published {
  /** Such as `GET /v1/jobs/{job}`. */
  name: string;
  method: string;
  path: string;
  operation: Json;
}

export const published: Published[] = Object.entries<Json>(document.paths).flatMap(([path, item]) =>
  Object.entries<Json>(item).map(([word, operation]) => {
    const method = word.toUpperCase();
    return { name: `${method} ${path}`, method, path, operation };
  }),
);

/** Follows a `$ref` to its schema. */
export function resolved(node: Json): Json {
  if (node?.$ref === undefined) return node;
  return resolved(
    node.$ref
      .slice(2)
      .split("/")
      .reduce((place: Json, part: string) => place[part], document),
  );
}

const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addSchema({ $id: "document:/open", components: document.components });
ajv.addSchema({ $id: "document:/closed", components: closed(document.components) });

/** Lists the faults of a value by a schema of the document; empty when the value is valid. */
export function faults(schema: Json, value: unknown, how: "open" | "closed" = "open"): string[] {
  const validate = validators[how].get(schema) ?? compiled(schema, how);
  if (validate(value)) return [];
  return (validate.errors ?? []).map(
    (one) => `${one.instancePath} ${one.message} ${JSON.stringify(one.params)}`,
  );
}

const validators = { open: new Map<Json, ValidateFunction>(), closed: new Map<Json, ValidateFunction>() };

function compiled(schema: Json, how: "open" | "closed"): ValidateFunction {
  const validate = ajv.compile(aimed(how === "closed" ? closed(schema) : schema, `document:/${how}`));
  validators[how].set(schema, validate);
  return validate;
}

/** Lists the faults of an answer; empty when the answer is as documented. */
export function complaints(
  operation: Json,
  answer: { status: number; headers: Headers; text: string },
): string[] {
  const response = resolved(operation.responses[answer.status]);
  if (response === undefined)
    return [`the status ${answer.status} is not documented: ${answer.text.slice(0, 300)}`];
  const named = Object.keys(response.headers ?? {}).map((name) => name.toLowerCase());
  const silent = notable.filter((name) => answer.headers.has(name) && !named.includes(name));
  const wrong = silent.map((name) => `${answer.status} has the header ${name}, which is not documented`);
  if (!answer.headers.has("X-Request-Id")) wrong.push("X-Request-Id is missing");
  const type = (answer.headers.get("Content-Type") ?? "").split(";")[0] ?? "";
  if (answer.text === "" && response.content === undefined) return wrong;
  const media = response.content?.[type];
  if (media === undefined) return [...wrong, `${answer.status} with the type ${type} is not documented`];
  return [
    ...wrong,
    ...bodiesOf(type, answer.text, media.schema).flatMap(([schema, body]) => faults(schema, body, "closed")),
  ];
}

const notable = [
  "location",
  "idempotency-replayed",
  "www-authenticate",
  "retry-after",
  "x-log-complete",
  "x-log-truncated",
  "x-log-fetched-at",
  "x-log-live",
  "x-log-note",
];

function bodiesOf(type: string, text: string, schema: Json): [Json, unknown][] {
  const { Event, LogEntry } = document.components.schemas;
  if (type.endsWith("json") && type !== "application/x-ndjson") return [[schema, JSON.parse(text)]];
  if (type === "application/x-ndjson")
    return text
      .split("\n")
      .filter(Boolean)
      .map((line) => [LogEntry, JSON.parse(line)]);
  if (type !== "text/event-stream") return [[schema, text]];
  const schemas: Record<string, Json> = { log: LogEntry, note: { type: "object", required: ["detail"] } };
  return [...text.matchAll(/^event: (.*)\ndata: (.*)$/gm)].map(([, event = "", data = ""]) => [
    schemas[event] ?? Event,
    JSON.parse(data),
  ]);
}

/** No object may have more than is named. */
function closed(node: Json): Json {
  if (Array.isArray(node)) return node.map(closed);
  if (typeof node !== "object" || node === null) return node;
  const copy = Object.fromEntries(Object.entries(node).map(([name, value]) => [name, closed(value)]));
  const isOpen =
    node.type === "object" && node.properties !== undefined && node.additionalProperties === undefined;
  return isOpen ? { ...copy, additionalProperties: false } : copy;
}

/** References lead into the schemas as they were added. */
function aimed(node: Json, id: string): Json {
  return JSON.parse(JSON.stringify(node).replaceAll('"$ref":"#/', `"$ref":"${id}#/`));
}
