// The move of `proctor move`: takes a stopped service from its SQLite file to PostgreSQL.
import { type Config, readDatabase } from "../config.ts";
import { systemClock } from "../lib/clock.ts";
import { parseDuration } from "../lib/duration.ts";
import { idSource } from "../lib/id.ts";
import { lockDatabase } from "../store/db/sqlite-lock.ts";
import { move, undoMove } from "../store/move.ts";
import { openStore } from "../store/store.ts";

export interface MoveArguments {
  from: string;
  to?: string;
  undo?: boolean;
  startWindow: string;
}

/** @throws DatabaseRefused, or an error that says what is wrong with the arguments */
export async function runMove(given: MoveArguments, print: (line: string) => void): Promise<void> {
  const from = databaseOf(given.from);
  if (from?.kind !== "sqlite") throw new Error("--from is not sqlite:path/to/file.db");
  const newId = idSource(systemClock);
  const store = openStore(from, systemClock, newId);
  const unlock = lockDatabase(from, systemClock.now());
  try {
    await store.migrate();
    if (given.undo) {
      print(
        (await undoMove(store.db)) ? "the SQLite file may be used again" : "the SQLite file was not moved",
      );
      return;
    }
    const to = databaseOf(given.to);
    if (to?.kind !== "postgres") throw new Error("--to is not postgres://user:password@host/database");
    const startWindowMs = parseDuration(given.startWindow);
    if (startWindowMs === null) throw new Error("--start-window is not a duration such as 1h");
    const target = openStore(to, systemClock, newId);
    await target.migrate().finally(() => target.close());
    const now = systemClock.now();
    await move(store.db, {
      from,
      to,
      startWindowMs,
      now,
      onTable: (table, rows) => print(`${table}: ${rows}`),
    });
    print("moved and compared: start the service with DATABASE_URL set to the new database");
  } finally {
    await store.close();
    unlock();
  }
}

function databaseOf(url: string | undefined): Config["database"] | null {
  const read = url ? readDatabase({ DATABASE_URL: url }) : null;
  return read?.ok ? read.database : null;
}
