// One real PostgreSQL for all test files. It starts when the first of them asks for it, so that a run without
// database tests does not pay for it, and is stopped and removed at the end, however the tests went.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestProject } from "vitest/node";
import { type PostgresServer, startPostgresServer } from "./postgres-server.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Answers with the URL of the PostgreSQL, or with 500 and the reason why there is none. */
    postgresDesk: string;
  }
}

/** The test files run in processes of their own: they ask this one over HTTP, and wait for the answer. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let started: Promise<PostgresServer> | null = null;
  const desk = createServer((_request, response) => {
    started ??= startPostgresServer(SETTINGS, ["--no-sync"]);
    started.then(
      ({ url }) => response.end(url),
      (error) => response.writeHead(500).end(`PostgreSQL cannot be started: ${error}`),
    );
  });
  await new Promise<void>((resolve, reject) => {
    desk.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
  project.provide("postgresDesk", `http://127.0.0.1:${(desk.address() as AddressInfo).port}`);
  return async () => {
    desk.close();
    const running = await started?.catch(() => null);
    await running?.stop();
  };
}

/** Nothing of it outlives the tests, so nothing has to reach the disk; and deadlocks are looked for early. */
const SETTINGS = [
  "deadlock_timeout=50ms",
  "fsync=off",
  "synchronous_commit=off",
  "full_page_writes=off",
  "autovacuum=off",
  "max_connections=200",
];
