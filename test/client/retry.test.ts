// Repeating requests: what is safe to send again, how often, and what is told in the end. The network is played.
import { expect, test } from "vitest";
import { createClient, ProctorError } from "../../src/client/client.ts";
import { createTransport } from "../../src/client/transport.ts";

type Turn = Error | Response | (() => Response);

function play(turns: Turn[], retry: object = {}) {
  const sent: Request[] = [];
  const client = createClient({
    url: "http://proctor.test/",
    apiKey: "key",
    retry: { firstPauseMs: 1, maxPauseMs: 2, ...retry },
    fetch: async (input, init) => {
      sent.push(new Request(input, init));
      const turn = turns[Math.min(sent.length, turns.length) - 1];
      if (turn instanceof Error) throw turn;
      if (turn === undefined) throw new Error("nothing to play");
      return typeof turn === "function" ? turn() : turn;
    },
  });
  return { client, sent };
}

const job = { id: "job_1", status: "queued", ended_at: null };
const request = { runs: [{ kind: "python" as const, code: "print(1)" }] };
const problem = (status: number, kind: string, headers: Record<string, string> = {}) =>
  Response.json(
    { type: `urn:proctor:problem:${kind}`, title: "No", status, detail: "because" },
    { status, headers: { "X-Request-Id": "req_1", ...headers } },
  );

test("a submission is repeated with one key and one body until it is answered", async () => {
  const reset = new TypeError("fetch failed", { cause: { code: "ECONNRESET" } });
  const { client, sent } = play([
    reset,
    problem(500, "internal"),
    problem(503, "not-accepting"),
    new Response("<html>", { status: 502 }),
    Response.json(job, { status: 202 }),
  ]);
  expect(await client.submit(request)).toEqual(job);
  const keys = new Set(sent.map(({ headers }) => headers.get("Idempotency-Key")));
  expect(keys.size).toBe(1);
  expect([...keys][0]).toMatch(/^[0-9a-f-]{36}$/);
  const bodies = new Set(await Promise.all(sent.map((one) => one.text())));
  expect([...bodies]).toEqual([JSON.stringify(request)]);
  expect(sent[0]?.url).toBe("http://proctor.test/v1/jobs");
});

test("a key of the caller's own is sent as it is", async () => {
  const { client, sent } = play([Response.json(job)]);
  await client.submit(request, { idempotencyKey: "queue-7" });
  expect(sent[0]?.headers.get("Idempotency-Key")).toBe("queue-7");
});

test("a refusal is not repeated, and carries the problem document", async () => {
  const { client, sent } = play([problem(422, "validation-failed")]);
  const error = await client.submit(request).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ProctorError);
  expect(error).toMatchObject({
    code: "validation-failed",
    status: 422,
    requestId: "req_1",
    isTransient: false,
  });
  expect((error as ProctorError).problem?.detail).toBe("because");
  expect(sent).toHaveLength(1);
});

test("after the last attempt the last error is told", async () => {
  const refused = new TypeError("fetch failed", { cause: { code: "ECONNREFUSED" } });
  const { client, sent } = play([refused], { attempts: 3 });
  const error = await client.status().catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "unreachable", status: null, attempts: 3 });
  expect((error as Error).message).toBe("http://proctor.test does not answer: ECONNREFUSED");
  expect(sent).toHaveLength(3);
});

test("what the service would do twice is not sent twice", async () => {
  const { client, sent } = play([problem(500, "internal")]);
  await expect(client.retry("run_1")).rejects.toThrow(ProctorError);
  await expect(client.webhooks.create({ url: "https://a.test", types: ["*"] })).rejects.toThrow(ProctorError);
  expect(sent).toHaveLength(2);
});

test("a delete whose answer was lost has gone well when nothing is found any more", async () => {
  const { client } = play([new TypeError("fetch failed"), problem(404, "not-found")]);
  await client.delete("job_1");
  await expect(play([problem(404, "not-found")]).client.delete("job_1")).rejects.toThrow("No: because");
});

test("a pause grows, is jittered, and is never shorter than Retry-After asks, up to a minute", () => {
  const { pauseMs } = createTransport({ url: "http://proctor.test", apiKey: "key" });
  for (const [attempt, most] of [
    [1, 300],
    [2, 600],
    [3, 1_200],
    [9, 10_000],
  ] as const) {
    const pauses = Array.from({ length: 50 }, () => pauseMs(attempt, null));
    expect(Math.max(...pauses)).toBeLessThanOrEqual(most);
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(most / 2);
    expect(new Set(pauses).size).toBeGreaterThan(1);
  }
  expect(pauseMs(1, 20_000)).toBe(20_000);
  expect(pauseMs(1, 3_600_000)).toBe(60_000);
});

test("a signal ends a pause between attempts, with its own reason", async () => {
  const leaving = new AbortController();
  const { client } = play([
    () => {
      leaving.abort(new Error("enough"));
      return problem(503, "not-accepting", { "Retry-After": "60" });
    },
  ]);
  await expect(client.job("job_1", { signal: leaving.signal })).rejects.toThrow("enough");
});

test("an answer that never comes is given up, and asked for again", async () => {
  let asked = 0;
  const client = createClient({
    url: "http://proctor.test",
    apiKey: "key",
    timeoutMs: 20,
    retry: { firstPauseMs: 1 },
    fetch: (_, init) =>
      ++asked > 1
        ? Promise.resolve(Response.json(job))
        : new Promise((__, reject) =>
            init?.signal?.addEventListener("abort", () => reject(init.signal?.reason)),
          ),
  });
  expect(await client.job("job_1")).toEqual(job);
});

test("an answer that is no JSON is not taken for one", async () => {
  const { client } = play([() => new Response("<html>")]);
  await expect(client.status()).rejects.toMatchObject({ code: "unreadable" });
});

test("a wait outlives a service that is away for a while", async () => {
  const away = new TypeError("fetch failed");
  const done = { ...job, status: "succeeded", ended_at: "2026-01-01T00:00:00Z" };
  const { client } = play([away, away, away, away, Response.json(done)], { attempts: 2 });
  const seen: string[] = [];
  await client.wait("job_1", { onUpdate: ({ status }) => seen.push(status), updateEveryMs: 10 });
  expect(seen).toEqual(["succeeded"]);
});

test("an id cannot lead to another path", async () => {
  const { client, sent } = play([Response.json(job)]);
  await client.job("../status?x=1");
  expect(sent[0]?.url).toBe("http://proctor.test/v1/jobs/..%2Fstatus%3Fx%3D1");
});
