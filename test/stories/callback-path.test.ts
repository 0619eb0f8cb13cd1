// Behind proxies: callbacks arrive below the path of PUBLIC_URL and without it, with slashes doubled on the way.
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { callbackToken } from "../../src/domain/callback-token.ts";
import { callbackSecret, image, type Json, type Service, startService } from "../support/service.ts";

let service: Service;
let executionId: string;
let token: string;
beforeAll(async () => {
  service = await startService({ publicPath: "/proctor//inner/" });
});
afterAll(() => service.close());

const kept = () =>
  service.rows(
    `select count(*) as n from (select execution_id from callbacks union all select execution_id from inbox)
     where execution_id = ?`,
    executionId,
  )[0].n;
const url = (path: string) => service.url() + path;

it("an execution's own URL has the path, and its callback arrives", async () => {
  const run = await service.run(image());
  expect(run).toMatchObject({ status: "succeeded", detected_by: "callback" });
  const [asked] = (service.emulator.executions()[0]?.body.user_callback_urls ?? []) as string[];
  expect(new URL(asked ?? "").pathname).toMatch(
    /^\/proctor\/\/inner\/callbacks\/lyceum\/exe_\w+\/[\w-]{43}$/,
  );
  executionId = run.executions[0]?.id ?? "";
  token = callbackToken(callbackSecret, executionId);
});

it.each([
  ["without the path of PUBLIC_URL", (end: string) => `/callbacks/lyceum/${end}`],
  ["below the path of PUBLIC_URL", (end: string) => `/proctor/inner/callbacks/lyceum/${end}`],
  ["with doubled slashes", (end: string) => `//callbacks//lyceum///${end.replace("/", "//")}`],
  ["with doubled slashes in the path", (end: string) => `//proctor//inner//callbacks/lyceum/${end}//`],
  ["with a query", (end: string) => `/proctor/inner/callbacks/lyceum/${end}?a=//b`],
])("a callback is accepted %s, with and without a declared length", async (_, at) => {
  const before = kept();
  const answers = await Promise.all([
    fetch(url(at(`${executionId}/${token}`)), { method: "POST", body: "{}" }),
    fetch(url(at(`${executionId}/${token}`)), {
      method: "POST",
      body: new Blob(["{}"]).stream(),
      duplex: "half",
    } as RequestInit),
    fetch(url(at(`${executionId}/${token}x`)), { method: "POST", body: "{}" }),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([204, 204, 401]);
  expect(kept()).toBe(before + 2);
});

it("no other route is served below the path of PUBLIC_URL", async () => {
  for (const path of [
    "/proctor/inner/livez",
    "/proctor/inner/v1/jobs",
    "/proctor/inner/callbacks",
    "//livez",
  ])
    expect((await fetch(url(path))).status).toBe(404);
});

it("a callback below a wrong path counts as rejected, with one hint that names no token", async () => {
  const before = (await service.status()).callbacks.rejected;
  for (const prefix of ["/api", "/other//proctor/inner", "/proctor"])
    for (const end of [`${executionId}/${token}`, `${executionId}/${token}x`]) {
      const answer = await fetch(url(`${prefix}/callbacks/lyceum/${end}`), { method: "POST", body: "{}" });
      const unknown = await fetch(url("/api/nowhere"), { method: "POST", body: "{}" });
      const [said, otherwise] = [(await answer.json()) as Json, (await unknown.json()) as Json];
      expect({ ...said, instance: null }).toEqual({ ...otherwise, instance: null });
      expect(answer.status).toBe(404);
    }
  expect((await service.status()).callbacks.rejected).toBe(before + 6);
  const hints = service.logLines.filter((line) => line.includes("PUBLIC_URL"));
  expect(hints.filter((line) => line.includes("unknown_path"))).toHaveLength(1);
  expect(hints[0]).toContain("/proctor/inner");
  expect(service.logLines.join("\n")).not.toContain(token);
});

it("a callback's Content-Encoding is stored, and shown with the decoded text", async () => {
  const headers = { "Content-Encoding": "gzip", "Content-Type": "application/json" };
  const body = gzipSync('{"status":"completed"}');
  for (const init of [{ body }, { body: new Blob([body]).stream(), duplex: "half" }])
    await fetch(url(`/callbacks/lyceum/${executionId}/${token}`), {
      method: "POST",
      headers,
      ...init,
    } as RequestInit);
  const shown = (await service.reader.get(`/v1/executions/${executionId}/callbacks`)).body.data.slice(-2);
  expect(shown).toMatchObject(
    [1, 2].map(() => ({ content_encoding: "gzip", decoded_from: "gzip", body: '{"status":"completed"}' })),
  );
});
