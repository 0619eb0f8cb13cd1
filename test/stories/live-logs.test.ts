// The log of a run that lives: read, followed in each form, and shared by all who read it.
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createClient, ProctorError } from "../../src/client/client.ts";
import { HEARTBEAT_MS } from "../../src/http/events/sse.ts";
import { heldTimers } from "../http/listener.ts";
import { apiKeys, image, type Service, startService, until } from "../support/service.ts";

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

/** The service looks for new lines of a followed log this often. */
const LOOK_EVERY_MS = 5_000;

const client = () => createClient({ url: service.url(), apiKey: apiKeys.ann });

const folder = mkdtempSync(join(tmpdir(), "proctor-live-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Code that prints `first` at once, and `last` when `go` is called. */
function speaking(switches = "") {
  const file = join(folder, randomUUID());
  const code = [
    `# emulator: ${switches}`,
    "import os, time",
    'print("first", flush=True)',
    `while not os.path.exists(${JSON.stringify(file)}): time.sleep(0.02)`,
    'print("last", flush=True)',
  ].join("\n");
  return { spec: { kind: "python", code, timeout: 300 }, go: () => writeFileSync(file, "") };
}

async function begun(spec: object): Promise<string> {
  const { id } = await service.submit({ runs: [spec] });
  const run = await service.soleRun(id, ({ executions }) => executions.at(-1)?.status === "running");
  return run.id;
}

/** Follows over HTTP; `read` resolves with the text so far once it has this pattern. */
async function follow(runId: string, accept: string, headers: Record<string, string> = {}) {
  const url = `${service.url()}/v1/runs/${runId}/logs?follow=true`;
  const leave = new AbortController();
  const response = await fetch(url, {
    headers: { Authorization: `Bearer ${apiKeys.ann}`, Accept: accept, ...headers },
    signal: leave.signal,
  });
  let text = "";
  let isOver = false;
  const ended = (async () => {
    for await (const piece of response.body ?? []) text += Buffer.from(piece).toString();
    isOver = true;
    return text;
  })();
  ended.catch(() => {});
  const read = async (pattern: RegExp) => {
    await until(String(pattern), async () => pattern.test(text));
    return text;
  };
  return { response, read, ended, isOver: () => isOver, leave: () => leave.abort() };
}

it.concurrent("a live run's log has the lines so far, and says that it is not complete", async () => {
  const { spec, go } = speaking();
  const id = await begun(spec);
  let answer = await service.ann.get(`/v1/runs/${id}/logs`, { Accept: "text/plain" });
  await until("the first line", async () => {
    answer = await service.ann.get(`/v1/runs/${id}/logs`, { Accept: "text/plain" });
    return answer.text.includes("first");
  });
  expect(answer.status).toBe(200);
  expect(answer.text).not.toContain("last");
  expect(answer.headers.get("X-Log-Live")).toBe("true");
  expect(answer.headers.get("X-Log-Complete")).toBe("false");
  go();
});

it.concurrent.each([
  ["application/x-ndjson", /"message":"first"/, /"message":"last"/],
  ["text/plain", /Z first\n/, /Z last\n/],
  ["text/event-stream", /event: log\ndata: .*"first"/, /event: log\ndata: .*"last"/],
])("as %s a log is followed from its first line to the end, each line once", async (type, first, last) => {
  const { spec, go } = speaking();
  const id = await begun(spec);
  const stream = await follow(id, type);
  expect(stream.response.headers.get("Content-Type")).toContain(type);
  await stream.read(first);
  expect(stream.isOver()).toBe(false);
  go();
  const text = await stream.ended;
  expect(text).toMatch(last);
  expect(text.match(/first|last/g)).toEqual(["first", "last"]);
});

it.concurrent("readers of one run share the reads of Lyceum", async () => {
  await using alone = await startService();
  const { spec, go } = speaking();
  const { id } = await alone.submit({ runs: [spec] });
  const run = await alone.soleRun(id, ({ executions }) => executions.at(-1)?.status === "running");
  const ask = () => alone.ann.get(`/v1/runs/${run.id}/logs`);
  await Promise.all(Array.from({ length: 20 }, ask));
  expect(alone.emulator.callCounts()["GET /logs/execution/:id"]).toBe(1);
  go();
});

it.concurrent("while Lyceum shows nothing of a live run, the answers say so and the log comes with the end", async () => {
  const { spec, go } = speaking("live_logs=withheld");
  const id = await begun(spec);
  const answer = await service.ann.get(`/v1/runs/${id}/logs`);
  expect(answer).toMatchObject({ status: 200, text: "" });
  expect(answer.headers.get("X-Log-Note")).toContain("Lyceum shows no log of this execution yet");
  const text = await follow(id, "text/plain");
  await text.read(/^# Lyceum shows no log/m);
  const notes: string[] = [];
  const lines: string[] = [];
  const onNote = (note: string) => {
    notes.push(note);
    go();
  };
  for await (const { message } of client().followLogs(id, { onNote })) lines.push(message);
  expect(lines).toEqual(["first", "last"]);
  expect(notes[0]).toContain("Lyceum shows no log");
  expect(await text.ended).toMatch(/Z last\n$/);
});

it.concurrent("a reader that comes back begins after its last line, and is told once nothing more will come", async () => {
  const { spec, go } = speaking();
  go();
  const run = await service.run(spec);
  const begin = await follow(run.id, "text/event-stream");
  expect(await begin.ended).toMatch(/id: 1\.1\n(.|\n)*id: 1\.2\n(.|\n)*id: end\n/);
  const again = await follow(run.id, "text/event-stream", { "Last-Event-ID": "1.1" });
  const rest = await again.ended;
  expect([rest.includes("first"), rest.includes("last")]).toEqual([false, true]);
  const over = await follow(run.id, "text/event-stream", { "Last-Event-ID": "end" });
  expect(over.response.status).toBe(204);
  const wrong = await follow(run.id, "text/event-stream", { "Last-Event-ID": "7" });
  expect(wrong.response.status).toBe(422);
});

it.concurrent("a further attempt is followed after the one before", async () => {
  const { id } = await service.submit({
    retry: { max_attempts: 2, on: ["failed"] },
    runs: [{ kind: "python", code: 'print("tried", flush=True)\nraise SystemExit(1)' }],
  });
  const [run] = await service.runsOf(id);
  const attempts: string[] = [];
  const stream = await follow(run?.id ?? "", "text/event-stream");
  for (const [, attempt = ""] of (await stream.ended).matchAll(
    /id: (\d+)\.\d+\nevent: log\ndata: .*"tried"/g,
  ))
    attempts.push(attempt);
  expect(attempts).toEqual(["1", "2"]);
});

it.concurrent("a reader that leaves frees its place, and an unknown run is not found", async () => {
  const id = await begun(image("delay=30s"));
  const stream = await follow(id, "application/x-ndjson");
  stream.leave();
  await service.ann.post(`/v1/runs/${id}/cancel`);
  const missing = client().followLogs("run_01kawv9x2m4t6r8s0p1q3n5v7w");
  await expect(missing.next()).rejects.toThrow(ProctorError);
  expect((await service.bob.get(`/v1/runs/${id}/logs?follow=true`)).status).toBe(404);
});

it.concurrent("an execution shows Lyceum's streaming URL to its owner alone", async () => {
  const run = await service.run(image());
  const path = `/v1/executions/${run.executions[0]?.id}`;
  expect((await service.ann.get(path)).body.streaming_url).toMatch(/^http.*\/stream\//);
  expect((await service.reader.get(path)).body.streaming_url).toBeNull();
  expect((await service.admin.get(path)).body.streaming_url).toBeNull();
});

it.concurrent.each([
  ["application/x-ndjson", "\n"],
  ["text/plain", "\n"],
  ["text/event-stream", ": heartbeat\n\n"],
])("in silence a followed log gets a heartbeat as %s", async (accept, heartbeat) => {
  const { timers, fire } = heldTimers(LOOK_EVERY_MS);
  let aheadMs = 0;
  const clock = { now: () => Date.now() + aheadMs, monotonic: () => performance.now() + aheadMs };
  await using quiet = await startService({ surroundings: { timers, clock } });
  quiet.network.lyceumIsUp = false;
  const { id } = await quiet.submit({ runs: [image()] });
  const [run] = await quiet.runsOf(id);
  const leave = new AbortController();
  const response = await fetch(`${quiet.url()}/v1/runs/${run?.id}/logs?follow=true`, {
    headers: { Authorization: `Bearer ${apiKeys.ann}`, Accept: accept },
    signal: leave.signal,
  });
  let text = "";
  (async () => {
    for await (const piece of response.body ?? []) text += Buffer.from(piece).toString();
  })().catch(() => {});
  await until(
    "the head, or that nothing comes",
    async () => accept === "application/x-ndjson" || text !== "",
  );
  const before = text;
  for (let beats = 1; beats <= 2; beats++) {
    fire();
    aheadMs += HEARTBEAT_MS;
    fire();
    await until(`heartbeat ${beats}`, async () => {
      fire();
      return text.length >= before.length + beats * heartbeat.length;
    });
  }
  expect(text).toBe(before + heartbeat.repeat(2));
  leave.abort();
});
