// The door that Lyceum's callbacks come through: whom it opens to, and what it takes.
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { callbackToken } from "../../src/domain/callback-token.ts";
import { apiKeys, callbackSecret, image, type Service, startService, until } from "../support/service.ts";

const former = "former-secret-1f2e3d4c5b6a79880716253a";
const foreign = "foreign-secret-0a1b2c3d4e5f60718293a4";

/** More than Node lets wait by default. */
const BURST = 600;

let service: Service;
let jobId: string;
let executionId: string;
beforeAll(async () => {
  service = await startService({ settings: { CALLBACK_SECRETS: `${callbackSecret},${former}` } });
  jobId = (await service.submit({ runs: [image("delay=50s")] })).id;
  const run = await service.soleRun(jobId, (one) => one.lyceum_execution_id !== null);
  executionId = run.executions[0]?.id ?? "";
});
afterAll(() => service.close());

const doorOf = (id: string, secret = callbackSecret) =>
  `/callbacks/lyceum/${id}/${callbackToken(secret, id)}`;
const knock = (path: string, body: unknown = "", headers: Record<string, string> = {}) =>
  service.nobody.post(path, body, headers);
const kept = async () => (await service.ann.get(`/v1/executions/${executionId}/callbacks`)).body.data;
const traces = () => ({
  callbacks: service.rows(
    "select count(*) as n from (select id from callbacks union all select id from inbox)",
  ),
  events: service.rows("select count(*) as n from events where type = 'callback.received'"),
  counters: service.rows("select * from counters where name like 'callbacks.%' order by name"),
});

it("a forged token is refused in the same words whether or not the execution exists, and leaves no trace", async () => {
  const before = traces();
  const rejected = (await service.status()).callbacks.rejected;
  const absent = "exe_01j0000000000000000000000a";
  const sameId = { "X-Request-Id": "probe" };
  const answers = await Promise.all([
    knock(`/callbacks/lyceum/${executionId}/${callbackToken(foreign, executionId)}`, "{}", sameId),
    knock(`/callbacks/lyceum/${absent}/${callbackToken(foreign, absent)}`, "{}", sameId),
    knock(`/callbacks/lyceum/${executionId}/${callbackToken(callbackSecret, absent)}`, "{}", sameId),
    knock(`/callbacks/lyceum/${executionId}/x`, "{}", sameId),
    knock(`/callbacks/lyceum/${executionId}`, "{}", sameId),
    knock(`/callbacks/lyceum/${absent}`, "{}", sameId),
    knock(`/callbacks/lyceum/${executionId}/`, "{}", sameId),
    knock(`/callbacks/lyceum/${executionId}/x/`, "{}", sameId),
    knock(`/callbacks/lyceum/${absent}/${callbackToken(foreign, absent)}/`, "{}", sameId),
    service.ann.post(`/callbacks/lyceum/${executionId}/${apiKeys.ann}`, "{}", sameId),
  ]);
  expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([401]));
  expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
  expect(new Set(answers.map(({ headers }) => headers.get("WWW-Authenticate")))).toEqual(new Set(["Bearer"]));
  expect(traces()).toEqual(before);
  expect((await service.status()).callbacks.rejected).toBe(rejected + answers.length);
});

it("a valid token of a deleted execution gets the same answer as any other", async () => {
  const before = traces();
  expect((await knock(doorOf("exe_01j0000000000000000000000a"), "{}")).status).toBe(204);
  await until("the callback to be dropped", () => service.rows("select id from inbox").length === 0);
  expect(traces()).toEqual(before);
});

it("an endless callback body is cut at 256 KiB and marked as truncated", async () => {
  const size = 256 * 1024;
  expect((await knock(doorOf(executionId), Buffer.alloc(size, "a"))).status).toBe(204);
  expect((await knock(doorOf(executionId), Buffer.alloc(size + 1, "b"))).status).toBe(204);
  const [whole, cut] = await kept();
  expect([whole.truncated, whole.body.length]).toEqual([false, size]);
  expect([cut.truncated, cut.body.length]).toEqual([true, size]);
});

it.skipIf(!hasRoomFor(BURST))(
  "a burst of connections waits to be accepted, and none has to come again",
  async () => {
    const { port } = new URL(service.url());
    // To an address, which needs no look-up: they connect before the event loop goes on, and so before any is accepted.
    const sockets = Array.from({ length: BURST }, () => connect(Number(port), "127.0.0.1"));
    await new Promise<void>((resolve) => process.nextTick(resolve));
    const waiting = waitingAt(Number(port));
    for (const socket of sockets) socket.destroy();
    expect(waiting).toBe(BURST);
  },
);

it("a callback body is accepted with and without a declared length", async () => {
  const url = service.url() + doorOf(executionId);
  const answers = await Promise.all([
    fetch(url, { method: "POST", body: "told" }),
    fetch(url, { method: "POST", body: new Blob(["untold"]).stream(), duplex: "half" } as RequestInit),
    fetch(`${url}?with=query`, { method: "POST", body: "asked" }),
  ]);
  const shown = answers.map(({ status, headers }) => [status, [...headers.keys()].toSorted()]);
  expect(shown).toEqual([shown[0], shown[0], shown[0]]);
  expect(shown[0]?.[0]).toBe(204);
  const bodies = (await kept()).slice(-3).map((callback: { body: string }) => callback.body);
  expect(bodies.toSorted()).toEqual(["asked", "told", "untold"]);
});

it("a sender that disconnects in the middle of a body leaves no callback, and the endpoint goes on", async () => {
  const before = traces();
  const { hostname, port } = new URL(service.url());
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  socket.write(`POST ${doorOf(executionId)} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf`);
  await new Promise((resolve) => setTimeout(resolve, 50));
  socket.destroy();
  await once(socket, "close");
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(traces()).toEqual(before);
  expect((await knock(doorOf(executionId), "whole")).status).toBe(204);
});

it("callback bodies of any content type are stored byte for byte", async () => {
  const oddities: [Uint8Array | string, string][] = [
    [Buffer.from([0, 255, 254, 10]), "image/x-nonsense"],
    ["<xml/>", "text/xml; charset=latin-1"],
    ["", "application/json"],
  ];
  for (const [body, type] of oddities)
    expect((await knock(doorOf(executionId), body, { "Content-Type": type })).status).toBe(204);
  const last = (await kept()).slice(-3);
  for (const [index, [body, type]] of oddities.entries()) {
    expect(last[index].content_type).toBe(type);
    expect(Buffer.from(last[index].body, last[index].body_encoding)).toEqual(Buffer.from(body));
  }
});

it("a callback that quotes its own URL is shown without the token, whatever its bytes", async () => {
  const url = service.url() + doorOf(executionId);
  await knock(doorOf(executionId), JSON.stringify({ user_callback_url: url }));
  await knock(doorOf(executionId), Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(url)]));
  const [text, bytes] = (await kept()).slice(-2);
  const token = callbackToken(callbackSecret, executionId);
  expect(text.body).not.toContain(token);
  expect(bytes.body_encoding).toBe("base64");
  expect(Buffer.from(bytes.body, "base64").toString("latin1")).not.toContain(token);
});

it("a slash behind a valid token is accepted", async () => {
  const before = (await kept()).length;
  expect((await knock(`${doorOf(executionId)}/`)).status).toBe(204);
  expect(await kept()).toHaveLength(before + 1);
});

it("each execution keeps a bounded number of callbacks, and all callbacks are answered", async () => {
  for (let sent = 0; sent < 40; sent++) expect((await knock(doorOf(executionId))).status).toBe(204);
  expect(await kept()).toHaveLength(32);
});

it("a token made with a former secret is accepted while the secret is listed, and refused afterwards", async () => {
  expect((await knock(doorOf(executionId, former))).status).toBe(204);
  await service.restart({ CALLBACK_SECRETS: callbackSecret });
  expect((await knock(doorOf(executionId, former))).status).toBe(401);
  expect((await knock(doorOf(executionId))).status).toBe(204);
});

/** Linux alone shows the queue, and may be set to a shorter one. */
function hasRoomFor(connections: number): boolean {
  if (!existsSync("/proc/net/tcp")) return false;
  return Number(readFileSync("/proc/sys/net/core/somaxconn", "utf8")) >= connections;
}

/** Connections of a listening socket that wait to be accepted [proc_net_tcp(5): rx_queue in state 0A]. */
function waitingAt(port: number): number {
  const rows = readFileSync("/proc/net/tcp", "utf8").split("\n");
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const fields = rows.map((row) => row.trim().split(/\s+/));
  const [, , , , queues = ""] = fields.find(([, at, , state]) => at?.endsWith(local) && state === "0A") ?? [];
  return Number.parseInt(queues.split(":")[1] ?? "", 16);
}
