// The database under trial: what a service is started on, how it is taken away for a while, and what it holds in the end.
import { setTimeout as wait } from "node:timers/promises";
import Sqlite from "better-sqlite3";
import pg from "pg";
import { startPostgresServer } from "../support/postgres-server.ts";
import type { ArtifactRow, EventRow } from "./evidence.ts";
import type { Random } from "./random.ts";

export interface Holdings {
  events: EventRow[];
  artifacts: ArtifactRow[];
  /** Findings of the database's own integrity checks; empty when all is well. */
  damage: string[];
}

export interface TrialDatabase {
  url: string;
  /** Away, or locked by another process, for some seconds. Resolves when it is back. */
  outage(random: Random): Promise<void>;
  read(): Promise<Holdings>;
  close(): Promise<void>;
}

const outageMs = [200, 5_000] as const;
const allEvents = "select * from events order by seq";
const allArtifacts = "select execution_id, kind, state, reason from artifacts";

export function onSqlite(path: string): TrialDatabase {
  return {
    url: `sqlite:${path}`,
    async outage(random) {
      const other = new Sqlite(path, { timeout: 10_000 });
      other.exec("begin immediate");
      await wait(random.between(...outageMs));
      other.exec("commit");
      other.close();
    },
    async read() {
      const database = new Sqlite(path, { readonly: true });
      try {
        const integrity = database.pragma("integrity_check") as { integrity_check: string }[];
        const orphans = database.pragma("foreign_key_check") as object[];
        return {
          events: database.prepare(allEvents).all() as EventRow[],
          artifacts: database.prepare(allArtifacts).all() as ArtifactRow[],
          damage: [
            ...integrity.map((row) => row.integrity_check).filter((text) => text !== "ok"),
            ...orphans.map((row) => `foreign key without its row: ${JSON.stringify(row)}`),
          ],
        };
      } finally {
        database.close();
      }
    },
    close: async () => {},
  };
}

export async function onPostgres(): Promise<TrialDatabase> {
  const server = await startPostgresServer(["synchronous_commit=on"]);
  const url = `${server.url}/postgres`;
  return {
    url,
    outage: (random) =>
      server.restart(random.chance(0.5) ? "immediate" : "fast", () => wait(random.between(...outageMs))),
    async read() {
      const client = new pg.Client({ connectionString: url });
      client.setTypeParser(pg.types.builtins.INT8, Number);
      await client.connect();
      try {
        const [events, artifacts] = [await client.query(allEvents), await client.query(allArtifacts)];
        return { events: events.rows, artifacts: artifacts.rows, damage: [] };
      } finally {
        await client.end();
      }
    },
    close: () => server.stop("immediate"),
  };
}

/** One outage after the other, with quiet times between them, until told to stop. Resolves with their number. */
export async function disturbDatabase(
  database: TrialDatabase,
  random: Random,
  isOver: () => boolean,
): Promise<number> {
  let outages = 0;
  while (!isOver()) {
    await wait(random.between(1_000, 8_000));
    if (isOver()) break;
    await database.outage(random);
    outages++;
  }
  return outages;
}
