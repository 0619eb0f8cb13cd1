// A callback may be all that tells of a start whose answer was lost, in whatever form its body comes.
import { brotliCompressSync, gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { image, startService, until } from "../support/service.ts";

const forms: [string, (json: string) => Buffer, Record<string, string>][] = [
  ["gzip", gzipSync, { "Content-Encoding": "gzip" }],
  ["brotli", brotliCompressSync, { "Content-Encoding": "br" }],
  ["JSON in a string", (json) => Buffer.from(JSON.stringify({ payload: json })), {}],
  ["base64 of UTF-16", (json) => Buffer.from(Buffer.from(json, "utf16le").toString("base64")), {}],
];

it.each(forms)("a start that no list shows is found by its callback as %s", async (_, form, headers) => {
  await using service = await startService({
    settings: { IN_DOUBT_AFTER: "1h" },
    chaos: { answer: { lost: { next: 1 } } },
  });
  const { id } = await service.submit({ runs: [image("callback=lost hidden=list,history delay=20")] });
  await until("the start", () => service.emulator.executions().length === 1);
  const [execution] = service.emulator.executions();
  const [url = ""] = (execution?.body.user_callback_urls ?? []) as string[];
  const body = form(JSON.stringify({ execution_id: execution?.executionId, status: "completed" }));
  await until("the doubt", async () => (await service.runsOf(id))[0]?.executions[0]?.in_doubt === true);
  expect((await fetch(url, { method: "POST", headers, body: new Uint8Array(body) })).status).toBe(204);
  expect(await service.ended(id)).toMatchObject([{ status: "succeeded", attempts: 1 }]);
});
