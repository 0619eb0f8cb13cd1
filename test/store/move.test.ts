// Moving a SQLite file to PostgreSQL: everything comes over, and only one of the two can run.
import { expect, test } from "vitest";
import { runMove } from "../../src/app/move.ts";
import { receiveCallback } from "../../src/orchestration/receive-callback.ts";
import { findExecution } from "../../src/store/executions.ts";
import { appendToInbox, readInbox } from "../../src/store/inbox.ts";
import { assertNotMoved } from "../../src/store/move.ts";
import { openStore } from "../../src/store/store.ts";
import { createDatabase, type Database, onSqlite } from "../support/databases.ts";
import { claimed, contextOf, ended, live, submitted } from "../support/scene.ts";

const tables = ["jobs", "runs", "specs", "executions", "inbox", "events", "counters", "api_keys"] as const;

async function emptyPostgres() {
  const { target, remove } = await createDatabase(false);
  if (target.kind !== "postgres") throw new Error("not a PostgreSQL");
  return { target, remove };
}

async function filled(open: () => Promise<Database>) {
  const database = await open();
  if (database.target.kind !== "sqlite") throw new Error("not SQLite");
  const context = contextOf(database);
  await submitted(context, 300, { metadata: '{"big":12345678901234567890,"text":"ünïcode"}' as never });
  await ended(context, "completed");
  const { execution } = await live(context);
  await claimed(context);
  const callback = {
    executionId: execution.id,
    contentType: null,
    body: Buffer.from("{}"),
    truncated: false,
  };
  await receiveCallback(context, callback);
  return { database, from: `sqlite:${database.target.path}`, running: execution.id };
}

onSqlite("a move to PostgreSQL", (open) => {
  test("a move to PostgreSQL brings every row over, and the file refuses to start until the move is undone", async () => {
    const { database, from, running } = await filled(open);
    const { target, remove } = await emptyPostgres();
    const lines: string[] = [];
    await runMove({ from, to: target.url, startWindow: "1h" }, (line) => void lines.push(line));
    expect(lines).toContain("runs: 300");
    const there = openStore(target, database.time, database.newId);
    for (const table of tables) {
      const rowsOf = async (db: typeof there.db) => {
        const rows = (await db.selectFrom(table).selectAll().execute()) as Record<string, unknown>[];
        const kept = rows.filter(({ name }) => name !== "moved_at");
        return kept.map((row) => JSON.stringify({ ...row, claimed_by: null })).sort();
      };
      expect(await rowsOf(there.db), table).toEqual(await rowsOf(database.store.db));
    }
    expect(await findExecution(there.db, running)).toMatchObject({ phase: "watching" });
    // A number follows those that came over.
    await appendToInbox(there.db, [
      { id: "cbk_next", execution_id: running, received_at: 1, body: Buffer.from(""), truncated: 0 },
    ]);
    expect(await readInbox(there.db, 9)).toMatchObject([{ seq: 1 }, { seq: 2 }]);
    await assertNotMoved(there.db);
    await expect(assertNotMoved(database.store.db)).rejects.toThrow(/was moved to PostgreSQL at 20\d\d-/);
    await runMove({ from, undo: true, startWindow: "1h" }, (line) => void lines.push(line));
    expect(lines.at(-1)).toBe("the SQLite file may be used again");
    await assertNotMoved(database.store.db);
    await there.close();
    await remove();
  });

  test("a move to PostgreSQL goes to an empty database alone, and leaves the file as it was otherwise", async () => {
    const { database, from } = await filled(open);
    const { target, remove } = await emptyPostgres();
    await runMove({ from, to: target.url, startWindow: "1h" }, () => {});
    await runMove({ from, undo: true, startWindow: "1h" }, () => {});
    await expect(runMove({ from, to: target.url, startWindow: "1h" }, () => {})).rejects.toThrow(
      /has rows already: name an empty database/,
    );
    await assertNotMoved(database.store.db);
    await remove();
  });

  test("a move to PostgreSQL writes nothing when a row cannot be copied", async () => {
    const { database, from } = await filled(open);
    const { target, remove } = await emptyPostgres();
    // PostgreSQL takes no U+0000 in a text.
    await database.store.db.updateTable("jobs").set({ name: "a\u0000b" }).execute();
    await expect(runMove({ from, to: target.url, startWindow: "1h" }, () => {})).rejects.toThrow();
    const there = openStore(target, database.time, database.newId);
    expect(await there.db.selectFrom("api_keys").selectAll().execute()).toEqual([]);
    await there.close();
    await remove();
  });
});
