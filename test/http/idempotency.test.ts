// Idempotency-Key: a submission that is repeated, for whatever reason, is one job.
import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, expect, it } from "vitest";
import { apiKeys, image, type Service, startService } from "../support/service.ts";

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

const body = JSON.stringify({ runs: [image()], name: "once" });
const submit = (key: string, text = body, who: "ann" | "bob" | "admin" = "ann") =>
  service[who].post("/v1/jobs", text, { "Idempotency-Key": key });
const jobs = () => service.rows("select count(*) as n from jobs")[0].n;

it("the same key with the same body returns the same job, even after its end", async () => {
  const first = await submit("key-1");
  expect([first.status, first.headers.get("Idempotency-Replayed")]).toEqual([202, null]);
  await service.ended(first.body.id);
  const replay = await submit("key-1");
  expect(replay).toMatchObject({ status: 200, body: { id: first.body.id, status: "succeeded" } });
  expect(replay.headers.get("Idempotency-Replayed")).toBe("true");
  expect(replay.headers.get("Location")).toBe(first.headers.get("Location"));
  expect(service.emulator.executions()).toHaveLength(1);
});

it("the same key with another body is refused, and the answer names the header", async () => {
  await submit("key-2");
  const before = jobs();
  const answer = await submit("key-2", body.replace("once", "twice"));
  expect(answer).toMatchObject({
    status: 422,
    body: {
      type: "urn:proctor:problem:idempotency-mismatch",
      errors: [{ pointer: "header:Idempotency-Key", detail: expect.any(String) }],
    },
  });
  expect(jobs()).toBe(before);
});

it("many concurrent submissions with one key make one job", async () => {
  const before = jobs();
  const answers = await Promise.all(Array.from({ length: 20 }, () => submit("key-3")));
  expect(answers.filter((answer) => answer.status === 202)).toHaveLength(1);
  expect(answers.filter((answer) => answer.status === 200)).toHaveLength(19);
  expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1);
  expect(jobs()).toBe(before + 1);
});

it("an idempotency key belongs to the API key that used it", async () => {
  const anns = await submit("key-4");
  const bobs = await submit("key-4", body.replace("once", "bob's"), "bob");
  const admins = await submit("key-4", body, "admin");
  expect([anns.status, bobs.status, admins.status]).toEqual([202, 202, 202]);
  expect(new Set([anns.body.id, bobs.body.id, admins.body.id]).size).toBe(3);
});

it("a refused body does not use up the key", async () => {
  expect((await submit("key-5", '{"runs":[]}')).status).toBe(422);
  expect((await submit("key-5")).status).toBe(202);
});

it("the key of a deleted job starts nothing again, whatever the body", async () => {
  const first = await submit("key-6");
  await service.ended(first.body.id);
  expect((await service.ann.call("DELETE", `/v1/jobs/${first.body.id}`)).status).toBe(204);
  for (const text of [body, body.replace("once", "twice"), '{"runs":[]}']) {
    const answer = await submit("key-6", text);
    expect(answer).toMatchObject({ status: 409, body: { type: "urn:proctor:problem:job-deleted" } });
  }
  expect((await submit("key-6", body.replace("once", "bob's"), "bob")).status).toBe(202);
});

it("equal JSON values are the same body, whatever the order and form in which they are written", async () => {
  const first = await submit(
    "key-7",
    '{"name":"x","runs":[{"kind":"python","code":"1","timeout":60}],"metadata":{"a":1,"b":[2]}}',
  );
  const again = await submit(
    "key-7",
    ' { "metadata": {"b":[2],"a":1.0},\n"runs":[{"timeout":6e1,"code":"\\u0031","kind":"python"}],"name":"x"}',
  );
  expect(again).toMatchObject({ status: 200, body: { id: first.body.id } });
  const other = await submit(
    "key-7",
    '{"name":"x","runs":[{"kind":"python","code":"1","timeout":60}],"metadata":{"a":1,"b":[3]}}',
  );
  expect(other.status).toBe(422);
});

it("a known key returns its job, even if the body would be refused today", async () => {
  const hook = await startService({
    settings: {
      WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 7).toString("base64")}`,
      WEBHOOK_ALLOW_PRIVATE: "127.0.0.0/8",
    },
  });
  const text = JSON.stringify({ runs: [image()], webhook_url: "http://127.0.0.1:8999/hook" });
  const send = () => hook.ann.post("/v1/jobs", text, { "Idempotency-Key": "hooked" });
  const first = await send();
  expect(first.status).toBe(202);
  // Meanwhile the operator takes the secret away and closes the network.
  await hook.restart({ WEBHOOK_SECRET: "", WEBHOOK_ALLOW_PRIVATE: "" });
  expect(await send()).toMatchObject({ status: 200, body: { id: first.body.id } });
  expect((await hook.ann.post("/v1/jobs", text)).status).toBe(422);
  await hook.close();
});

it("a repeated Idempotency-Key header is refused as ambiguous", async () => {
  const before = jobs();
  const { port } = new URL(service.url());
  const answer = await new Promise<number | undefined>((resolve, reject) => {
    const request = httpRequest({ port, method: "POST", path: "/v1/jobs" }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on("error", reject);
    request.setHeader("Authorization", `Bearer ${apiKeys.ann}`);
    request.setHeader("Idempotency-Key", ["key-8", "key-8"]);
    request.end(body);
  });
  expect(answer).toBe(422);
  expect(jobs()).toBe(before);
});

it("an idempotency key has 1 to 255 printable characters", async () => {
  for (const key of ["x".repeat(255), "a", "with blank inside", "!~"])
    expect((await submit(key)).status).toBe(202);
  for (const key of ["x".repeat(256), "", "caf\u00e9"]) {
    const answer = await submit(key);
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ pointer: "header:Idempotency-Key" }] } });
  }
});

it("without an idempotency key each submission makes a job of its own", async () => {
  const [first, second] = await Promise.all([
    service.ann.post("/v1/jobs", body),
    service.ann.post("/v1/jobs", body),
  ]);
  expect(first.body.id).not.toBe(second.body.id);
});
