// Measured processes: the service (`src/main.ts`) and the small servers that it is compared with.
import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer, type Server } from "node:net";
import { join } from "node:path";

export interface Running {
  port: number;
  url: string;
  pid: number;
  stop(): Promise<void>;
}

export const apiKey = `bench-${"k".repeat(32)}`;
export const callbackSecret = `bench-${"s".repeat(32)}`;
export const authorization = { Authorization: `Bearer ${apiKey}` };

const root = join(import.meta.dirname, "..");

/** Starts the service with its defaults, on a database of its own. */
export async function startService(options: {
  database: string;
  lyceumUrl: string;
  env?: Record<string, string>;
  /** Another entry point of the same app. */
  main?: string;
  /** Command before `node`, such as a tracer. */
  under?: string[];
}): Promise<Running> {
  const port = await freePort();
  return startProcess(options.main ?? join(root, "src/main.ts"), {
    port,
    isUp: "/livez",
    under: options.under ?? [],
    env: {
      LYCEUM_BASE_URL: options.lyceumUrl,
      LYCEUM_API_KEY: "lk_emulator",
      API_KEYS: `bench:${apiKey}`,
      CALLBACK_SECRETS: callbackSecret,
      PUBLIC_URL: `http://127.0.0.1:${port}`,
      DATABASE_URL: `sqlite:${options.database}`,
      HOST: "127.0.0.1",
      SUBMIT_LIMIT: "none",
      SHUTDOWN_GRACE: "1s",
      ...options.env,
    },
  });
}

/** Starts a server of `bench/servers`. */
export async function startServer(
  name: string,
  env: Record<string, string | undefined> = {},
  isUp = "/livez",
): Promise<Running> {
  const port = await freePort();
  return startProcess(join(import.meta.dirname, "servers", `${name}.ts`), {
    port,
    isUp,
    env,
    under: [],
  });
}

async function startProcess(
  main: string,
  {
    port,
    isUp,
    env,
    under,
  }: { port: number; isUp: string; env: Record<string, string | undefined>; under: string[] },
): Promise<Running> {
  const [command = "", ...args] = [...under, process.execPath, main];
  const child = spawn(command, args, {
    env: { PATH: process.env.PATH, ...env, PORT: String(port) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = tailOf(child);
  const end = () => child.kill("SIGKILL");
  process.once("exit", end);
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const url = `http://127.0.0.1:${port}`;
  while (!(await answers(url + isUp))) {
    if (child.exitCode !== null) throw new Error(`${main} ended at its start:\n${said()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return {
    port,
    url,
    pid: child.pid ?? 0,
    async stop() {
      process.off("exit", end);
      child.kill("SIGTERM");
      const timer = setTimeout(end, 5_000);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Keeps the end of the output for an error message. */
function tailOf(child: ChildProcess): () => string {
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => {
      said = (said + chunk.subarray(-2_000).toString("latin1")).slice(-2_000);
    });
  return () => said;
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    (response) => response.ok,
    () => false,
  );
}

/** A Lyceum that never answers, so that the work after a callback costs next to nothing. */
export async function startSilentLyceum(): Promise<{ url: string; stop(): void }> {
  const sockets = new Set<{ destroy(): void }>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).resume();
  });
  const port = await listen(server);
  const stop = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { url: `http://127.0.0.1:${port}`, stop };
}

/** A Lyceum that asks for an hour of patience, so that no check follows a callback: silence costs a time-out each. */
export async function startBusyLyceum(): Promise<{ url: string; stop(): void }> {
  const headers = { "Retry-After": "3600", "Content-Type": "application/json" };
  const server = createHttpServer((_request, response) =>
    response.writeHead(429, headers).end('{"detail":"Too many requests"}'),
  );
  const port = await listen(server);
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${port}`, stop };
}

/** Resident memory, MiB. */
export function residentMiB(pid: number): number {
  const [, kib = "0"] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kib) / 1024;
}

/** Processor time used so far, seconds. */
export function processorSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** The same of processes with all that they have started. */
export function processorSecondsOfAll(pids: readonly number[]): number {
  const childrenOf = Map.groupBy(livingProcesses(), ({ parent }) => parent);
  const withChildren = (pid: number): number[] => [
    pid,
    ...(childrenOf.get(pid) ?? []).flatMap((child) => withChildren(child.pid)),
  ];
  return pids.flatMap(withChildren).reduce((sum, pid) => sum + processorSeconds(pid), 0);
}

function livingProcesses(): { pid: number; parent: number }[] {
  const pids = readdirSync("/proc").map(Number).filter(Number.isInteger);
  return pids.flatMap((pid) => {
    try {
      const [, parent] = /\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
      return [{ pid, parent: Number(parent) }];
    } catch {
      // The process has ended meanwhile.
      return [];
    }
  });
}

export async function freePort(): Promise<number> {
  const probe = createServer();
  const port = await listen(probe);
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}

/** With the key of the service, which the emulator does not mind. @throws on any answer but a 2xx */
export async function post(url: string, body: object): Promise<Record<string, unknown>> {
  const headers = { ...authorization, "Content-Type": "application/json" };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return (await answer.json()) as Record<string, unknown>;
}
