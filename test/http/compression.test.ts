// Large answers are compressed for whoever takes that; streams are not held back by it.
import { get } from "node:http";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { apiKeys, image, type Service, startService } from "../support/service.ts";

let service: Service;
let jobId: string;
beforeAll(async () => {
  service = await startService();
  const runs = Array.from({ length: 150 }, (_, n) => image("", { name: `run-${n}` }));
  jobId = (await service.submit({ runs, max_parallel: 1 })).id;
});
afterAll(() => service.close());

interface Plain {
  headers: Record<string, string | string[] | undefined>;
  bytes: Buffer;
}

/** Without the decoding that `fetch` does by itself. @param isEnough ends an answer that would go on */
function ask(path: string, headers: Record<string, string>, isEnough = (_: Buffer) => false): Promise<Plain> {
  return new Promise((resolve, reject) => {
    const Authorization = `Bearer ${apiKeys.ann}`;
    get(`${service.url()}${path}`, { headers: { Authorization, ...headers } }, (answer) => {
      const chunks: Buffer[] = [];
      const done = () => resolve({ headers: answer.headers, bytes: Buffer.concat(chunks) });
      answer.on("data", (chunk) => {
        chunks.push(chunk);
        if (isEnough(Buffer.concat(chunks))) {
          done();
          answer.destroy();
        }
      });
      answer.once("end", done);
    }).once("error", reject);
  });
}

it("a list of more than 100 KB is compressed if the caller accepts that, and plain otherwise", async () => {
  const path = `/v1/jobs/${jobId}/runs?limit=1000`;
  const plain = await ask(path, {});
  expect(plain.headers["content-encoding"]).toBeUndefined();
  expect(plain.bytes.length).toBeGreaterThan(100 * 1024);
  const packed = await ask(path, { "Accept-Encoding": "gzip" });
  expect(packed.headers).toMatchObject({
    "content-encoding": "gzip",
    vary: expect.stringMatching(/accept-encoding/i),
  });
  expect(packed.bytes.length).toBeLessThan(plain.bytes.length / 4);
  expect(JSON.parse(gunzipSync(packed.bytes).toString()).data).toHaveLength(150);
});

it("the CSV results are the same compressed and plain", async () => {
  const path = `/v1/jobs/${jobId}/results`;
  const accept = { Accept: "text/csv" };
  const packed = await ask(path, { ...accept, "Accept-Encoding": "gzip, br" });
  expect(packed.headers["content-type"]).toContain("text/csv");
  const text = packed.headers["content-encoding"] === "gzip" ? gunzipSync(packed.bytes) : packed.bytes;
  expect(text.toString().trimEnd().split("\r\n")).toHaveLength(151);
});

it("event streams are not compressed, and tell proxies not to compress them", async () => {
  const headers = { Accept: "text/event-stream", "Accept-Encoding": "gzip" };
  const stream = await ask(`/v1/jobs/${jobId}/events`, headers, (bytes) =>
    bytes.includes("event: job.created"),
  );
  expect(stream.headers["content-encoding"]).toBeUndefined();
  expect(stream.headers["cache-control"]).toContain("no-transform");
  expect(stream.bytes.toString()).toContain("event: job.created");
});

it("small answers are sent uncompressed", async () => {
  const answer = await ask("/v1/jobs?name=nobody", { "Accept-Encoding": "gzip" });
  expect(answer.headers["content-encoding"]).toBeUndefined();
});
