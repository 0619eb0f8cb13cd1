// Bodies as callers may send them: compressed, with a byte order mark, far too many values, numbers of any length.
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { apiKeys, image, type Service, startService } from "../support/service.ts";
import type { Json } from "./client.ts";

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

const send = (body: string | Buffer<ArrayBuffer>, headers: Record<string, string> = {}) =>
  fetch(`${service.url()}/v1/jobs`, {
    method: "POST",
    headers: { Authorization: `Bearer ${apiKeys.ann}`, ...headers },
    body,
  });

it.each(["gzip", "br", "deflate", "GZIP, identity"])(
  "a body with Content-Encoding %s is answered 415",
  async (encoding) => {
    const answer = await send(gzipSync("{}"), { "Content-Encoding": encoding });
    expect(answer.status).toBe(415);
    expect(await answer.json()).toMatchObject({ type: "urn:proctor:problem:unsupported-encoding" });
  },
);

it("the encoding identity is accepted, and a byte order mark is skipped", async () => {
  const body = JSON.stringify({ runs: [image()] });
  expect((await send(body, { "Content-Encoding": "identity" })).status).toBe(202);
  expect((await send(`\uFEFF${body}`)).status).toBe(202);
});

it.each([
  ["millions of empty objects", `{"runs":[${"{},".repeat(2_600_000)}{}]}`],
  ["a long list of numbers", `[${"0,".repeat(3_000_000)}0]`],
  ["brackets that nest for megabytes", "[".repeat(8 * 1024 * 1024)],
  ["objects that nest", '{"a":'.repeat(1_000_000)],
])("%s are refused before the body is used", async (_, body) => {
  const answer = await send(body);
  expect(answer.status).toBe(422);
  expect(((await answer.json()) as Json).errors[0].detail).toMatch(/values|nested/);
});

it.each(["NaN", "Infinity", "[1,]", "{'a':1}", "01", '"\\x"', ""])(
  "%s is refused as invalid JSON",
  async (text) => {
    expect((await send(text)).status).toBe(400);
  },
);

it("half of a surrogate pair in a name is refused", async () => {
  for (const body of [
    '{"name":"\\ud800","runs":[]}',
    '{"runs":[{"kind":"python","code":"1","name":"a\\udc00"}]}',
  ]) {
    const answer = await send(body);
    expect(answer.status).toBe(422);
    expect(JSON.stringify(await answer.json())).toContain("surrogate");
  }
});

it("numbers in metadata and extra are returned, and sent to Lyceum, as they were written", async () => {
  const numbers = '{"id":12345678901234567890,"rate":1.0,"tiny":1e-400,"big":1E400,"zero":-0,"plain":2.5}';
  const body = `{"runs":[{"kind":"python","code":"1","extra":{"seed":${numbers}}}],"metadata":${numbers}}`;
  const answer = await send(body);
  const text = await answer.text();
  expect(answer.status).toBe(202);
  expect(text).toContain(`"metadata":${numbers}`);
  const { id } = JSON.parse(text);
  const read = await fetch(`${service.url()}/v1/jobs/${id}`, {
    headers: { Authorization: `Bearer ${apiKeys.ann}` },
  });
  expect(await read.text()).toContain(`"metadata":${numbers}`);
  await service.ended(id);
  expect(service.sentBodies().some((sent) => sent.includes(`"seed":${numbers}`))).toBe(true);
});
