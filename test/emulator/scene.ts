// An emulator, a client of it and a receiver of its callbacks, over real HTTP.
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { type EmulatorOptions, startEmulator } from "../../src/emulator/server.ts";
import { until as patiently } from "../support/wait.ts";

interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** Answers are looked at field by field in the tests, and a wrong field fails the test: no type is of use there. */
export type Json = ReturnType<typeof JSON.parse>;

export type Answer = { status: number; headers: Headers; body: Json };

export async function openScene(options: EmulatorOptions = {}) {
  const emulator = await startEmulator(options);
  const receiver = await openReceiver();

  async function call(method: string, path: string, body?: unknown, token = "lk_emulator"): Promise<Answer> {
    const response = await fetch(emulator.url + path, {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json");
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  }

  /** An answer as it came, which need not be what its headers say. */
  async function raw(method: string, path: string, body?: object) {
    const response = await fetch(emulator.url + path, {
      method,
      redirect: "manual",
      headers: { authorization: "Bearer lk_emulator" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    return { status: response.status, headers: response.headers, text: bytes.toString() };
  }

  const get = (path: string) => call("GET", path);
  const post = (path: string, body?: unknown) => call("POST", path, body);

  return {
    emulator,
    receiver,
    call,
    raw,
    get,
    post,
    python: (code: string, more: object = {}) => post("/execution/streaming/start", { code, ...more }),
    image: (more: object = {}) =>
      post("/execution/image/start", { docker_image_ref: "busybox", docker_run_cmd: ["true"], ...more }),
    /** The record once the execution is terminal. */
    async ended(id: string): Promise<Json> {
      await until(() => emulator.executions().some((one) => one.executionId === id && one.isTerminal));
      return (await get(`/execution/${id}`)).body;
    },
    async close() {
      await emulator.close();
      await receiver.close();
    },
  };
}

export type Scene = Awaited<ReturnType<typeof openScene>>;

/** Waits until the check holds. */
export const until = (check: () => boolean | Promise<boolean>) => patiently("a check to hold", check);

async function openReceiver() {
  const received: Received[] = [];
  const statuses: number[] = [];
  let onArrival: (() => Promise<void>) | undefined;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    await onArrival?.();
    received.push({ path: request.url ?? "", headers: request.headers, body: Buffer.concat(chunks) });
    response.statusCode = statuses.shift() ?? 204;
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    /** Statuses to answer with, in this order; 204 when there are none left. */
    answerWith: (...next: number[]) => statuses.push(...next),
    /** Runs while a callback is waiting for its answer. */
    whileWaiting(look: () => Promise<void>) {
      onArrival = look;
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
