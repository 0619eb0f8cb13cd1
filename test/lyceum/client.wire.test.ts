import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { createServer, type RequestListener, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { createLyceumClient } from "../../src/lyceum/client.ts";
import { createHttpTransport } from "../../src/lyceum/http-transport.ts";
import { createRateLimiter } from "../../src/lyceum/rate-limiter.ts";
import { eventually } from "../support/wait.ts";
import { createFakeTime } from "./fake-time.ts";

// Over real sockets: what a stand-in for them cannot show (slowness, resets, the codes of Node's own failures).

const request = { path: "/execution/streaming/start", body: { code: "print(1)" }, secrets: [] };
const call = "POST /execution/streaming/start";
let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function listen(listener: RequestListener): Promise<string> {
  server = createServer(listener);
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function clientOf(baseUrl: string, ms = 5_000, fetch = createHttpTransport()) {
  const clock = createFakeTime();
  const rateLimiter = createRateLimiter({ clock, random: () => 0 });
  const timeouts = { startMs: ms, readMs: ms, writeMs: ms };
  const credentials = { apiKey: "lk_x" };
  return createLyceumClient({ baseUrl, orgSlug: null, credentials, rateLimiter, clock, timeouts, fetch });
}

async function closedPort(): Promise<number> {
  const taken = createTcpServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  const { port } = taken.address() as AddressInfo;
  await new Promise((resolve) => taken.close(resolve));
  return port;
}

describe("a start that certainly did not arrive", () => {
  test("a start that certainly did not arrive is unreachable when the connection is refused", async () => {
    const client = clientOf(`http://127.0.0.1:${await closedPort()}`);
    expect(await client.start(request)).toEqual({
      type: "unreachable",
      detail: `${call}: ECONNREFUSED`,
      isSent: false,
    });
  });

  test("a start that certainly did not arrive is unreachable when every address of a host refuses", async () => {
    const client = clientOf(`http://localhost:${await closedPort()}`);
    expect(await client.start(request)).toEqual({
      type: "unreachable",
      detail: `${call}: ECONNREFUSED`,
      isSent: false,
    });
  });

  test("a start that certainly did not arrive is unreachable when there is no such host", async () => {
    const outcome = await clientOf("http://no-such-host.invalid").start(request);
    expect(outcome.type).toBe("unreachable");
  });

  test("a start that certainly did not arrive is unreachable when TLS meets a server that speaks none", async () => {
    const host = await listen((_, response) => response.end("{}"));
    const outcome = await clientOf(`https://${host}`).start(request);
    expect(outcome).toEqual({
      type: "unreachable",
      detail: expect.stringContaining("ERR_SSL_"),
      isSent: false,
    });
  });

  test("a start that certainly did not arrive is unreachable when TLS meets a server that says nothing", async () => {
    const silent = createTcpServer();
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as AddressInfo;
    const outcome = await clientOf(`https://127.0.0.1:${port}`, 5_000, createHttpTransport(50)).start(
      request,
    );
    expect(outcome).toEqual({
      type: "unreachable",
      detail: `${call}: UND_ERR_CONNECT_TIMEOUT`,
      isSent: false,
    });
    silent.close();
  });

  test("a start that certainly did not arrive is unreachable when the connection does not stand by the time it is given up", async () => {
    const silent = createTcpServer();
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as AddressInfo;
    const client = clientOf(`https://127.0.0.1:${port}`, 50, createHttpTransport(500));
    expect((await client.start(request)).type).toBe("unreachable");
    silent.close();
  });
});

test("a start asks whether it may leave once its connection is open, and is not sent when it may not", async () => {
  let requests = 0;
  const host = await listen((_, response) => {
    requests++;
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ execution_id: "5d0b", status: "pending" }));
  });
  const steps: string[] = [];
  const noteOpen = () => void steps.push("open");
  subscribe("undici:client:connected", noteOpen);
  const client = clientOf(`http://${host}`);
  const outcome = await client.start(request, () => {
    steps.push("asked");
    return false;
  });
  unsubscribe("undici:client:connected", noteOpen);
  expect(outcome.type).toBe("stale");
  expect(steps).toEqual(["open", "asked"]);
  expect(await client.start(request, () => true)).toMatchObject({ type: "accepted" });
  expect(requests).toBe(1);
});

describe("a start that may have arrived", () => {
  test("a start that may have arrived is unknown when no answer comes in time", async () => {
    const host = await listen(() => {});
    expect(await clientOf(`http://${host}`, 50).start(request)).toEqual({
      type: "unknown",
      detail: `${call}: no answer within 50 ms`,
    });
  });

  test("a start that may have arrived is unknown when the answer stops half-way", async () => {
    const host = await listen((_, response) => void response.writeHead(200).write('{"execution_id": "5d'));
    const outcome = await clientOf(`http://${host}`, 100).start(request);
    expect(outcome).toMatchObject({ type: "unknown" });
  });

  test("a start that may have arrived is unknown when the connection breaks before or within the answer", async () => {
    let seen = 0;
    const host = await listen((incoming, response) => {
      incoming.resume().on("end", () => {
        seen += 1;
        if (seen === 1) incoming.socket.resetAndDestroy();
        else if (seen === 2) incoming.socket.destroy();
        else response.writeHead(200, { "content-length": "99" }).write("{", () => incoming.socket.destroy());
      });
    });
    const client = clientOf(`http://${host}`);
    for (let i = 0; i < 3; i += 1) expect((await client.start(request)).type).toBe("unknown");
    expect(seen).toBe(3);
  });

  test("a start that may have arrived is not taken when only the text of its refusal is lost: the next answer tells whose it was", async () => {
    const host = await listen((incoming, response) => {
      response.writeHead(422, { "content-length": "99" }).write("{", () => incoming.socket.destroy());
    });
    const outcome = await clientOf(`http://${host}`).start(request);
    expect(outcome).toMatchObject({ type: "unreachable" });
  });

  test("a start that may have arrived is sent once only, and its redirect not followed", async () => {
    const paths: string[] = [];
    const host = await listen((incoming, response) => {
      paths.push(incoming.url ?? "");
      response.writeHead(307, { location: "/elsewhere" }).end();
    });
    expect(await clientOf(`http://${host}/api`).start(request)).toMatchObject({
      type: "unreachable",
    });
    expect(paths).toEqual(["/api/execution/streaming/start"]);
  });
});

describe("a read", () => {
  test("a read of an answer that never ends is cut at its bound", async () => {
    let sent = 0;
    const host = await listen((_, response) => {
      const chunk = Buffer.alloc(1024 * 1024, 32);
      const more = (error?: Error | null) => {
        if (error || response.destroyed) return;
        sent += 1;
        response.write(chunk, (failed) => setImmediate(more, failed));
      };
      more();
    });
    const outcome = await clientOf(`http://${host}`, 20_000).workloads("routine");
    expect(outcome).toMatchObject({ type: "unreadable", detail: expect.stringContaining("larger than") });
    expect(sent).toBeLessThan(60);
  });

  test("a read whose text is split within a character is whole", async () => {
    const text = Buffer.from(JSON.stringify({ execution_id: "5d0b", status: "completed", stdout: "é漢🚀" }));
    const host = await listen(async (_, response) => {
      for (const byte of text) {
        response.write(Uint8Array.of(byte));
        await new Promise(setImmediate);
      }
      response.end();
    });
    const outcome = await clientOf(`http://${host}`).record("5d0b", null, "collect");
    expect(outcome).toMatchObject({ type: "ok", value: { stdout: "é漢🚀" } });
  });

  test("a read may take longer than a connection may take to stand", async () => {
    const host = await listen((_, response) => void setTimeout(() => response.end("[]"), 200));
    const outcome = await clientOf(`http://${host}`, 5_000, createHttpTransport(20)).workloads("routine");
    expect(outcome).toEqual({ type: "ok", value: [] });
  });

  test("a read reads a compressed answer, and reports one that breaks off", async () => {
    const zipped = gzipSync(JSON.stringify({ execution_id: "whole", status: "completed", stdout: "é漢🚀" }));
    const host = await listen(({ url, headers }, response) => {
      expect(headers["accept-encoding"]).toBe("gzip");
      response.setHeader("content-encoding", "gzip");
      if (url?.endsWith("/whole")) response.end(zipped);
      else response.write(zipped.subarray(0, 20), () => response.destroy());
    });
    const client = clientOf(`http://${host}`);
    expect(await client.record("whole", null, "collect")).toMatchObject({
      type: "ok",
      value: { stdout: "é漢🚀" },
    });
    expect(await client.record("part", null, "collect")).toMatchObject({ type: "unreachable" });
  });

  test("a read is bounded by the decompressed size of an answer", async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, " "));
    expect(bomb.length).toBeLessThan(100_000);
    const host = await listen((_, response) => {
      response.setHeader("content-encoding", "gzip");
      response.end(bomb);
    });
    expect(await clientOf(`http://${host}`).record("5d0b", null, "collect")).toEqual({
      type: "unreadable",
      detail: "GET /execution/{id}: 200: answer larger than 262144 bytes",
      isTooLarge: true,
    });
  });

  test("a read uses a connection of those before", async () => {
    const ports = new Set<number | undefined>();
    const host = await listen((incoming, response) => {
      ports.add(incoming.socket.remotePort);
      response.end("[]");
    });
    const client = clientOf(`http://${host}`);
    for (let i = 0; i < 6; i += 1) await client.workloads("routine");
    // The second may come before the first has let go of its own.
    expect(ports.size).toBeLessThanOrEqual(2);
  });

  test("a read that takes too long says nothing about the run", async () => {
    const host = await listen((_, response) => void response.writeHead(200).write("["));
    expect(await clientOf(`http://${host}`, 50).workloads("routine")).toEqual({
      type: "unreachable",
      detail: "GET /workloads/list: 200: answer cut off: no answer within 50 ms",
    });
  });
});

describe("an answer that only the connection's end would end", () => {
  const hanging = async (sent: string) => {
    const raw = createTcpServer((socket) => void socket.on("error", () => {}).write(sent));
    await new Promise<void>((resolve) => raw.listen(0, "127.0.0.1", resolve));
    return { host: `127.0.0.1:${(raw.address() as AddressInfo).port}`, [Symbol.dispose]: () => raw.close() };
  };
  const head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";

  test("an answer that only the connection's end would end is given up in time", async () => {
    using server = await hanging(`${head}[`);
    const outcome = await clientOf(`http://${server.host}`, 50).workloads("routine");
    expect(outcome).toMatchObject({
      type: "unreachable",
      detail: expect.stringContaining("within 50 ms"),
    });
  });

  test("an answer that only the connection's end would end is given up at its bound", async () => {
    using server = await hanging(`${head}${" ".repeat(40 * 1024 * 1024)}`);
    const outcome = await clientOf(`http://${server.host}`, 20_000).workloads("routine");
    expect(outcome).toMatchObject({ type: "unreadable", detail: expect.stringContaining("larger than") });
  });
});

test("a start uses a connection only if it was in use a moment ago: none that may just be closed", async () => {
  const ports: (number | undefined)[] = [];
  const host = await listen((incoming, response) => {
    ports.push(incoming.socket.remotePort);
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ execution_id: "5d0b", status: "pending" }));
  });
  const open = new Set<unknown>();
  server?.on("connection", (socket) => open.add(socket.once("close", () => open.delete(socket))));
  const client = clientOf(`http://${host}`, 5_000, createHttpTransport(5_000, 300));
  const start = async () => expect(await client.start(request)).toMatchObject({ type: "accepted" });
  for (let time = 0; time < 3; time++) await start();
  expect(new Set(ports).size).toBeLessThan(3);
  await eventually(() => expect(open.size).toBe(0));
  await start();
  expect(ports.indexOf(ports.at(-1))).toBe(3);
});
