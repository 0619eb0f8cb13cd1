// The OpenAPI document: made of the table of routes and of the schemas that the service validates with.
import { createDocument, type ZodOpenApiObject, type ZodOpenApiOperationObject } from "zod-openapi";
import { logEntry } from "../../contract/artifact.ts";
import { type Answer, type Operation, tags } from "../../contract/operation.ts";
import { payload } from "../../contract/webhook.ts";
import type { Route } from "../route.ts";
import { anyText, everywhere, type Refusal, refusalsOf } from "./openapi-problems.ts";

type Document = ReturnType<typeof createDocument>;
type Responses = ZodOpenApiOperationObject["responses"];

export function openApiOf(routes: readonly Route[], version: string): Document {
  const paths: NonNullable<ZodOpenApiObject["paths"]> = {};
  const refusals = new Map<string, Refusal>();
  for (const route of routes) {
    const path = templateOf(route.path);
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route, refusals) };
  }
  return createDocument(
    {
      openapi: "3.1.1",
      info: { title: "Proctor", version, description, license: { name: "MIT", identifier: "MIT" } },
      servers: [{ url: "/" }],
      security: [{ key: [] }],
      tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
      paths,
      webhooks: { event: { post: delivered } },
      components: {
        securitySchemes: {
          key: { type: "http", scheme: "bearer", description: "An API key, with one of the roles below." },
        },
        headers: {
          RequestId: { description: "Names this request, in the log, too.", schema: { type: "string" } },
        },
        parameters: { RequestId: requestId },
        // Named in the text alone: OpenAPI 3.1 has no words for the lines of a body.
        schemas: { LogEntry: logEntry },
      },
    },
    { override: tidy },
  );
}

const description = `Hand it jobs over HTTP; it takes every run to an end on Lyceum Cloud, once, and tells you how it went.

Times are ISO 8601 UTC with milliseconds; numbers carry their unit in their name, unless the field is Lyceum's own. Money
is Lyceum's credits. Lists are read page by page: \`next_cursor\` is the next request's \`cursor\`. Answers may gain fields,
and words where more may come is said; what is in them now stays.

Roles of API keys: \`submit\` may do everything with its own jobs, \`read\` may read all, \`admin\` may do everything. A
job of another key is answered as one that does not exist. A method that a path does not have is answered with 405, and
every GET route answers HEAD, too.`;

const requestId = {
  name: "X-Request-Id",
  in: "header",
  description: "Taken over as the name of the request if it is short and plain.",
  schema: { type: "string", pattern: "^[A-Za-z0-9._-]{1,128}$" },
} as const;

/** `{job}` for Hono's `:job`. */
export function templateOf(path: string): string {
  return path.replace(/:(\w+)/g, "{$1}");
}

function operationOf(route: Route, refusals: Map<string, Refusal>): ZodOpenApiOperationObject {
  const { id, tag, summary, description, query, headers, body } = route.operation;
  const isOpen = route.access === "open" || route.access === "callback";
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(isOpen ? { security: [] } : {}),
    requestParams: { ...(query && { query }), ...(headers && { header: headers }) },
    parameters: [...parametersIn(route.path), { $ref: "#/components/parameters/RequestId" }],
    ...(body && { requestBody: bodyOf(body) }),
    responses: { ...answersOf(route.operation), ...refusalsOf(route, refusals) },
  };
}

function parametersIn(path: string) {
  const names = [...path.matchAll(/:(\w+)/g)].map(([, name = ""]) => name);
  return names.map((name) => ({
    name,
    in: "path" as const,
    required: true,
    description: pathParameters[name] ?? `The ${name}'s id.`,
    schema: { type: "string" as const },
  }));
}

const pathParameters: Record<string, string> = {
  token: "Made of the execution's id and a secret of the service.",
  file: "The file's name.",
};

function bodyOf({ content, isOptional = false, examples }: NonNullable<Operation["body"]>) {
  const named = Object.entries(examples ?? {}).map(([name, value]) => [name, { value }]);
  const types = Object.entries(content).map(([type, schema]) => [
    type,
    { schema, ...(named.length > 0 ? { examples: Object.fromEntries(named) } : {}) },
  ]);
  return { required: !isOptional, content: Object.fromEntries(types) };
}

function answersOf({ answers }: Operation): Responses {
  return Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, answerOf(answer)]));
}

function answerOf({ description, content = {}, headers = {} }: Answer) {
  const types = Object.entries(content).map(([type, schema]) => [type, { schema }]);
  const named = Object.entries(headers).map(([name, text]) => [name, { description: text, schema: anyText }]);
  return {
    description,
    headers: { ...everywhere, ...Object.fromEntries(named) },
    ...(types.length > 0 ? { content: Object.fromEntries(types) } : {}),
  };
}

/** Each attempt at a delivery; 2xx takes it. */
const delivered: ZodOpenApiOperationObject = {
  operationId: "event",
  tags: ["Webhooks"],
  summary: "An event, to those who subscribe to it, or a job's end to its `webhook_url`",
  description:
    "Signed as of Standard Webhooks. The order is not promised, and an event may come twice: `webhook-id` stays the same.",
  security: [],
  parameters: ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) => ({
    name,
    in: "header",
    required: true,
    schema: anyText,
    description: "As of Standard Webhooks.",
  })),
  requestBody: { required: true, content: { "application/json": { schema: payload } } },
  responses: {
    "2XX": { description: "It is taken." },
    410: { description: "Nobody is there any more: the webhook is disabled." },
    default: { description: "It is tried again, up to 12 times in about 25 hours." },
  },
};

/** Answers may gain fields; and that numbers are safe integers goes without saying. */
function tidy({
  jsonSchema,
  zodSchema,
  io,
}: Parameters<NonNullable<NonNullable<Parameters<typeof createDocument>[1]>["override"]>>[0]) {
  const { def } = zodSchema._zod;
  if (io === "output" && def.type === "object" && jsonSchema.additionalProperties === false)
    delete jsonSchema.additionalProperties;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
}
