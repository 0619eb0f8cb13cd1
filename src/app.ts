// The composition root. The files in app/ build the parts in this order; nothing is used before it exists.
import { type AppOverrides, createParts } from "./app/context.ts";
import { createHttp } from "./app/http.ts";
import { createLifecycle } from "./app/lifecycle.ts";
import { createWorkers } from "./app/workers.ts";
import type { Config } from "./config.ts";
import { systemClock } from "./lib/clock.ts";
import { idSource } from "./lib/id.ts";
import { namingDatabase } from "./store/db/opening-error.ts";
import { lockDatabase } from "./store/db/sqlite-lock.ts";
import { openStore } from "./store/store.ts";

export interface App {
  /** Answers a request in memory, as over the network. */
  handle(request: Request): Promise<Response>;
  /** Returns the port. @throws DatabaseRefused */
  start(): Promise<number>;
  /** Resolves when all is closed or the grace is over. */
  stop(): Promise<void>;
}

export function createApp(config: Config, overrides: AppOverrides = {}): App {
  const parts = createParts(config, overrides);
  const background = createWorkers(parts);
  const http = createHttp(parts, background);
  const { start, stop } = createLifecycle(parts, background, http);
  return { handle: async (request) => http.api.fetch(request), start, stop };
}

/** For a database that no service uses. Returns the names of the applied migrations. @throws DatabaseRefused */
export async function migrate(database: Config["database"]): Promise<string[]> {
  const store = openStore(database, systemClock, idSource(systemClock));
  try {
    return await namingDatabase(database, () => {
      const unlock = lockDatabase(database, systemClock.now());
      return store.migrate().finally(unlock);
    });
  } finally {
    await store.close();
  }
}
