// The OpenAPI document: valid, complete, and with examples that are true.
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { routes } from "../../../src/http/app.ts";
import { type Service, startService } from "../../support/service.ts";
import type { Json } from "../client.ts";
import { document, faults, published, resolved } from "../conformance.ts";

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

it("the document is public, OpenAPI 3.1, and names the service's version", async () => {
  const { status, body, headers } = await service.nobody.get("/openapi.json");
  expect(status).toBe(200);
  expect(headers.get("Content-Type")).toBe("application/json");
  expect(body).toEqual({ ...document, info: { ...document.info, version: expect.any(String) } });
  expect(body.openapi).toMatch(/^3\.1\./);
});

/** Findings of the linter's recommended rules that are intended: the rule, the place, the reason. */
const meant = [
  [
    "operation-4xx-response",
    /^#\/paths\/~1(livez|readyz|openapi\.json|docs)?\/get/,
    "takes nothing that could be wrong",
  ],
  [
    "no-unused-components",
    /^#\/components\/schemas\/LogEntry$/,
    "the lines of a body: 3.1 has no words for them",
  ],
] as const;

it("the document passes a public linter with its recommended rules, but for named exceptions", async () => {
  const config = await createConfig({ extends: ["recommended"] });
  const found = await lintFromString({ source: JSON.stringify(document), config });
  const said = found.map(({ ruleId, location, message }) => ({
    ruleId,
    at: location[0]?.pointer ?? "",
    message,
  }));
  const isMeant = ({ ruleId, at }: (typeof said)[number]) =>
    meant.some(([rule, place]) => rule === ruleId && place.test(at));
  expect(said.filter((one) => !isMeant(one))).toEqual([]);
  for (const [rule, place] of meant)
    expect(said.some(({ ruleId, at }) => rule === ruleId && place.test(at))).toBe(true);
});

it("the document has every public route and no other, and only patterns that other languages can read", () => {
  const open = routes.filter(({ operation }) => operation.isInternal !== true);
  const table = open.map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, "{$1}")}`);
  expect(published.map(({ name }) => name).toSorted()).toEqual(table.toSorted());
  expect(table.filter((name) => /\/callbacks\/lyceum|\{file\}/.test(name))).toEqual([]);
  const patterns = [...JSON.stringify(document).matchAll(/"pattern":"((?:[^"\\]|\\.)*)"/g)].map(
    ([, text]) => text,
  );
  expect(patterns.length).toBeGreaterThan(10);
  expect(patterns.filter((text) => /\(\?[=!<]|\\\\p\{|\\\\P\{|\\\\k</.test(text ?? ""))).toEqual([]);
});

it("the document names each operation once, describes every response, and asks for a key exactly where the table does", () => {
  const ids = published.map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { method, path, operation } of published) {
    const route = routes.find((one) => one.method === method && one.path.replace(/:(\w+)/g, "{$1}") === path);
    const isGuarded = route?.access !== "open" && route?.access !== "callback";
    expect([path, operation.security]).toEqual([path, isGuarded ? undefined : []]);
  }
});

describe("its examples", () => {
  const schemas = withExamples(document);

  it.each(schemas)("the examples are valid at $at", ({ schema, examples }) => {
    for (const example of examples) expect(faults(schema, example, "closed")).toEqual([]);
  });

  it("every JSON body and every JSON answer has an example, errors included", () => {
    const bodies = published
      .filter(({ path }) => path !== "/openapi.json")
      .flatMap(({ name, operation }) =>
        [operation.requestBody, ...Object.values<Json>(operation.responses).map(resolved)].flatMap((body) =>
          Object.entries<Json>(body?.content ?? {}).map(([type, media]) => ({ name, type, media })),
        ),
      );
    const without = bodies.filter(
      ({ type, media }) => type.endsWith("json") && !media.examples && !resolved(media.schema).examples,
    );
    expect(without).toEqual([]);
  });

  it("the examples of a submission are accepted unchanged", async () => {
    const media = document.paths["/v1/jobs"].post.requestBody.content["application/json"];
    for (const { value } of Object.values<Json>(media.examples))
      expect((await service.ann.post("/v1/jobs", value)).status).toBe(202);
  });
});

interface WithExamples {
  at: string;
  schema: Json;
  examples: unknown[];
}

/** Schemas with `examples` of their own, and media types, whose examples are named. */
function withExamples(node: Json, at = "#"): WithExamples[] {
  if (typeof node !== "object" || node === null) return [];
  const { examples, schema } = node;
  const own: WithExamples[] = Array.isArray(examples) ? [{ at, schema: node, examples }] : [];
  if (schema !== undefined && examples !== undefined)
    own.push({ at, schema, examples: Object.values<Json>(examples).map(({ value }) => value) });
  const inner = Object.entries(node).filter(([name]) => name !== "examples");
  return [...own, ...inner.flatMap(([name, value]) => withExamples(value, `${at}/${name}`))];
}
