// The OpenAPI document, built from the route table and the schemas that validate requests.
import { createDocument, type ZodOpenApiObject, type ZodOpenApiOperationObject } from "zod-openapi";
import { logEntry } from "../../contract/artifact.ts";
import { type Answer, type Operation, tags } from "../../contract/operation.ts";
import { payload } from "../../contract/webhook.ts";
import type { Route } from "../route.ts";
import { anyText, everywhere, type ProblemResponse, problemResponses } from "./openapi-problems.ts";

type Document = ReturnType<typeof createDocument>;
type Responses = ZodOpenApiOperationObject["responses"];

export function openApiOf(routes: readonly Route[], version: string): Document {
  const paths: NonNullable<ZodOpenApiObject["paths"]> = {};
  const responses = new Map<string, ProblemResponse>();
  for (const route of routes.filter(({ operation }) => operation.isInternal !== true)) {
    const path = templateOf(route.path);
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route, responses) };
  }
  return createDocument(
    {
      openapi: "3.1.1",
      info: { title: "Proctor", version, description, license: { name: "MIT", identifier: "MIT" } },
      servers: [{ url: "/" }],
      security: [{ key: [] }],
      tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
      paths,
      webhooks: { event: { post: webhookDelivery } },
      components: {
        securitySchemes: {
          key: { type: "http", scheme: "bearer", description: "An API key, with one of the roles below." },
        },
        headers: {
          RequestId: {
            description: "Names this request, also in the service's log.",
            schema: { type: "string" },
          },
        },
        parameters: { RequestId: requestId },
        // Only descriptions name this schema: OpenAPI 3.1 cannot describe the lines of a body.
        schemas: { LogEntry: logEntry },
      },
    },
    { override: simplify },
  );
}

const description = `Proctor runs jobs on Lyceum Cloud for queue workers. A worker submits a job over HTTP; Proctor starts its runs, follows
each run to its end, and keeps output, logs, metrics and cost.

Times are ISO 8601 UTC with milliseconds. Numbers carry their unit in the name, unless the field is Lyceum's own. Costs
are Lyceum's credits. Lists are paged: pass \`next_cursor\` as \`cursor\` to read the next page. Answers may gain fields, and
enumerations that may gain values say so; nothing is removed.

Roles of API keys: \`submit\` may do everything with its own jobs, \`read\` may read everything, \`admin\` may do everything.
A job of another key is answered with 404. An unsupported method is answered with 405. Every GET route answers HEAD.`;

const requestId = {
  name: "X-Request-Id",
  in: "header",
  description: "Becomes the request's id if it is short and plain.",
  schema: { type: "string", pattern: "^[A-Za-z0-9._-]{1,128}$" },
} as const;

export function templateOf(path: string): string {
  return path.replace(/:(\w+)/g, "{$1}");
}

function operationOf(route: Route, responses: Map<string, ProblemResponse>): ZodOpenApiOperationObject {
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
    responses: { ...answersOf(route.operation), ...problemResponses(route, responses) },
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

const pathParameters: Record<string, string> = {};

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

const webhookDelivery: ZodOpenApiOperationObject = {
  operationId: "event",
  tags: ["Webhooks"],
  summary: "Deliver an event to a webhook, or a job's end to its `webhook_url`",
  description:
    "Signed per Standard Webhooks. Events may arrive out of order and more than once; `webhook-id` stays the same.",
  security: [],
  parameters: ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) => ({
    name,
    in: "header",
    required: true,
    schema: anyText,
    description: "See Standard Webhooks.",
  })),
  requestBody: { required: true, content: { "application/json": { schema: payload } } },
  responses: {
    "2XX": { description: "The event was received." },
    410: { description: "The subscriber is gone: the webhook is disabled." },
    default: { description: "The delivery is repeated, up to 12 times in about 25 hours." },
  },
};

/** Answers may gain fields, so `additionalProperties: false` goes; so do the bounds of safe integers. */
function simplify({
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
