// SIGTERM to the real process under load: whoever sends requests meanwhile has an answer to each, and learns in time
// that the next ones are to go elsewhere.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, it } from "vitest";
import { freePort } from "../support/service.ts";
import { until } from "../support/wait.ts";

const key = "ann-5f1c9a0b7d3e4826a1c0f9e8a1b2c3d4";
const main = join(import.meta.dirname, "../../src/main.ts");

let folder: string;
let port: number;
let child: ChildProcess;
let exit: Promise<number | null>;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "proctor-drain-"));
  port = await freePort();
});
afterEach(async () => {
  child.kill("SIGKILL");
  await exit;
  rmSync(folder, { recursive: true, force: true });
});

async function start(settings: Record<string, string>): Promise<void> {
  const env = {
    LYCEUM_BASE_URL: "http://127.0.0.1:9",
    LYCEUM_API_KEY: "lk_x",
    API_KEYS: `ann:${key}`,
    DATABASE_URL: `sqlite:${join(folder, "proctor.db")}`,
    HOST: "127.0.0.1",
    PORT: String(port),
    ...settings,
  };
  child = spawn(process.execPath, [main], { env, stdio: ["ignore", "pipe", "inherit"] });
  exit = once(child, "exit").then(([code]) => code as number | null);
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  for await (const line of lines) if (line.includes('"event":"started"')) break;
  child.stdout?.resume();
}

interface Outcome {
  startedAt: number;
  status: number | null;
  connection: string | undefined;
  error: string | null;
}

function ask(agent: Agent, path: string): Promise<Outcome> {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    const headers = { Authorization: `Bearer ${key}` };
    request({ host: "127.0.0.1", port, path, agent, headers }, (answer) => {
      answer.resume().once("end", () => {
        const { connection } = answer.headers;
        resolve({ startedAt, status: answer.statusCode ?? null, connection, error: null });
      });
    })
      .once("error", (error: Error & { code?: string }) => {
        resolve({ startedAt, status: null, connection: undefined, error: error.code ?? error.message });
      })
      .end();
  });
}

it("twenty senders on kept-alive connections get an answer to each request sent before the port closes", {
  timeout: 120_000,
}, async () => {
  const drainMs = 2_000;
  await start({ DRAIN_DELAY: `${drainMs}ms` });
  const outcomes: Outcome[] = [];
  const probes: Outcome[] = [];
  let isOver = false;
  async function hammer(path: string, into: Outcome[]): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!isOver) {
      const outcome = await ask(agent, path);
      into.push(outcome);
      if (outcome.error !== null) break;
    }
    agent.destroy();
  }
  const senders = Array.from({ length: 20 }, () => hammer("/v1/jobs", outcomes));
  const probing = hammer("/readyz", probes);
  await until("answers for all", () => outcomes.length > 60 && probes.length > 2);
  const signalledAt = performance.now();
  child.kill("SIGTERM");
  const code = await exit;
  isOver = true;
  await Promise.all([...senders, probing]);
  expect(code).toBe(0);
  // The signal itself takes its time to arrive, so the port is open for no less.
  const early = [...outcomes, ...probes].filter(({ startedAt }) => startedAt < signalledAt + drainMs);
  expect(early.filter(({ error }) => error !== null)).toEqual([]);
  expect(outcomes.every(({ status }) => status === 200 || status === null)).toBe(true);
  expect(outcomes.some(({ connection }) => connection === "keep-alive")).toBe(true);
  expect(outcomes.some(({ connection }) => connection === "close")).toBe(true);
  expect(probes.filter(({ status }) => status === 503).length).toBeGreaterThan(0);
});

it("an incomplete body is refused within seconds, and does not keep the process from stopping", {
  timeout: 120_000,
}, async () => {
  await start({ DRAIN_DELAY: "0s", SHUTDOWN_GRACE: "60s" });
  const [body, head, silent] = await Promise.all([open(), open(), open()]);
  const line = `POST /v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n`;
  body.socket.write(`${line}Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n`);
  head.socket.write(line);
  await until("the request to be taken up", () => body.text().includes("100 Continue"));
  body.socket.write('{"runs":');
  const signalledAt = performance.now();
  child.kill("SIGTERM");
  expect(await exit).toBe(0);
  expect(performance.now() - signalledAt).toBeLessThan(30_000);
  for (const { text } of [body, head]) expect(text()).toContain("HTTP/1.1 408");
  expect(silent.socket.readableEnded).toBe(true);
});

it("a client that closes its half of the connection after the request gets the answer", async () => {
  await start({});
  for (const path of ["/livez", "/v1/jobs"]) {
    const { socket, text } = await open();
    socket.end(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n\r\n`);
    await once(socket, "close");
    expect(text()).toMatch(/^HTTP\/1\.1 200/);
  }
  const { socket, text } = await open();
  socket.end(
    `POST /v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Length: 58\r\n\r\n` +
      '{"runs":[{"kind":"python","code":"1"}],"priority":0      }',
  );
  await once(socket, "close");
  expect(text()).toMatch(/^HTTP\/1\.1 202/);
  const { id } = JSON.parse(text().slice(text().indexOf("\r\n\r\n")));
  const waiting = await open();
  waiting.socket.end(
    `GET /v1/jobs/${id}?wait=3s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n\r\n`,
  );
  await once(waiting.socket, "close");
  expect(waiting.text()).toMatch(/HTTP\/1\.1 200[\s\S]*"status":/);
});

async function open(): Promise<{ socket: Socket; text: () => string }> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk;
  });
  socket.on("error", () => {});
  await once(socket, "connect");
  return { socket, text: () => text };
}
