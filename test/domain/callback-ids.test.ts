// Ids are found however a callback wraps them, and within bounds.
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { candidateIds } from "../../src/domain/callback-ids.ts";

const id = "6f0c2a1e-6c1b-4d7e-9a54-0f5a3a1f2b77";
const json = JSON.stringify({ status: "completed", execution_id: id });
const wrap = (value: unknown) => JSON.stringify({ payload: value });
const base64 = (text: string | Buffer) => Buffer.from(text).toString("base64");

const bodies: [string, string | Buffer, (string | null)?][] = [
  ["JSON", json],
  ["camelCase", `{"executionId" : "${id}"}`],
  ["kebab-case and capitals", `{"EXECUTION-ID": "${id}"}`],
  ["a longer name", `{"lyceumExecutionId":"${id}"}`],
  ["a plain id", `{"data":{"id":"${id}"}}`],
  ["a list", `{"execution_ids":1,"execution_id":["${id}"]}`],
  ["a name and value pair", `[{"name":"execution_id","value":"${id}"}]`],
  ["JSON in a string", wrap(json)],
  ["JSON in a string in a string", wrap(wrap(json))],
  ["JSON four times in strings", wrap(wrap(wrap(wrap(json))))],
  ["JSON that breaks off", wrap(wrap(json)).slice(0, -8)],
  ["a form", `status=completed&execution_id=${id}`],
  ["JSON in a form", `payload=${encodeURIComponent(json)}`],
  ["JSON percent-encoded twice", encodeURIComponent(encodeURIComponent(json))],
  ["a multipart form", `--x\r\nContent-Disposition: form-data; name="execution_id"\r\n\r\n${id}\r\n--x--`],
  ["XML", `<run><execution_id>${id}</execution_id></run>`],
  ["JSON in XML", `<body>${json.replaceAll('"', "&quot;")}</body>`],
  ["a sentence", `Execution ${id} has ended.`],
  ["a named gzip", gzipSync(json), "gzip"],
  ["a gzip without a name", gzipSync(json)],
  ["a gzip that breaks off", gzipSync(`${json}${"x ".repeat(9_000)}`).subarray(0, -4), "gzip"],
  ["a gzip in a gzip", gzipSync(gzipSync(json)), "gzip, gzip"],
  ["zlib", deflateSync(json), "deflate"],
  ["bare deflate", deflateRawSync(json), "deflate"],
  ["bare deflate without a name", deflateRawSync(json)],
  ["brotli", brotliCompressSync(json), "br"],
  ["brotli without a name", brotliCompressSync(json)],
  ["a wrong name", json, "gzip"],
  ["base64", base64(json)],
  ["base64url", Buffer.from(json).toString("base64url")],
  ["folded base64", base64(`${json}${" ".repeat(200)}`).replace(/.{76}/g, "$&\r\n")],
  ["base64 in JSON", wrap(base64(json))],
  ["gzip in base64 in JSON", wrap(base64(gzipSync(json)))],
  ["base64 in a data URL", `{"url":"data:application/json;base64,${base64(json)}"}`],
  ["UTF-16 with a mark", Buffer.from(`\uFEFF${json}`, "utf16le")],
  ["UTF-16 without a mark", Buffer.from(json, "utf16le")],
  ["big-endian UTF-16", Buffer.from(json, "utf16le").swap16()],
  ["gzip of UTF-16", gzipSync(Buffer.from(json, "utf16le"))],
  ["latin-1", Buffer.from(`{"name":"caf\xe9","execution_id":"${id}"}`, "latin1")],
];

it.each(bodies)("the id is found in %s", (_, body, encoding = null) => {
  expect(candidateIds(Buffer.from(body), encoding)[0]).toBe(id);
});

it("an id under an execution's name comes before all others, and Proctor's own ids are skipped", () => {
  const other = "00000000-0000-4000-8000-000000000000";
  const body = {
    id: other,
    user_id: "somebody-else",
    our: { execution_id: "exe_01kawv9x2m4t6r8s0p1q3n5v7w" },
  };
  const text = JSON.stringify({ ...body, execution: { execution_id: id } });
  expect(candidateIds(Buffer.from(text), null)).toEqual([id, other, "somebody-else"]);
});

describe("within bounds", () => {
  it.each([
    ["nothing", ""],
    ["bytes", Buffer.from([0, 255, 254, 10])],
    ["a bomb", gzipSync(Buffer.alloc(32 * 1024 * 1024))],
    [
      "layers without end",
      Array.from({ length: 9 }).reduce<Buffer>((inner) => gzipSync(inner), Buffer.from(json)),
    ],
  ])("%s names none", (_, body) => {
    expect(candidateIds(Buffer.from(body as Buffer), null)).toEqual([]);
  });

  it("a bounded number of candidate ids is tried", () => {
    const ids = Array.from({ length: 10_000 }, (_, n) => ({ execution_id: `execution-${n}` }));
    expect(candidateIds(Buffer.from(JSON.stringify(ids)), null)).toEqual(
      ids.slice(0, 5).map((one) => one.execution_id),
    );
  });
});
