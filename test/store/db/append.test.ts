// Appends: single statements, which PostgreSQL commits without a transaction around them.
import { type Dialect, sql } from "kysely";
import { expect, test } from "vitest";
import { type DatabaseTarget, openDialect } from "../../../src/store/db/dialect.ts";
import type { Append, Db } from "../../../src/store/db/transaction.ts";
import { appendToInbox, readInbox } from "../../../src/store/inbox.ts";
import { openStore } from "../../../src/store/store.ts";
import { eachDatabase, onPostgres } from "../../support/databases.ts";

async function appendAll({ db, now, newId, wake }: Append, executions: string[]): Promise<string[]> {
  const rest = { content_type: null, content_encoding: null, body: Buffer.from("{}"), truncated: 0 };
  await appendToInbox(
    db,
    executions.map((execution_id) => ({ id: newId("cbk"), execution_id, received_at: now, ...rest })),
  );
  wake("reconcile", now);
  return executions;
}

const some = (count: number) => Array.from({ length: count }, (_, nth) => `exe_${nth}`);
const inboxOf = async (db: Db) => (await readInbox(db, 500)).map(({ execution_id }) => execution_id);

eachDatabase("appends", (open) => {
  test("appends of one turn are all there when they resolve, each once, and wake once a batch", async () => {
    const { store, connect } = await open();
    let woken = 0;
    store.onCommit(() => woken++);
    const all = some(150);
    await expect(Promise.all(all.map((one) => store.batchAppend(appendAll, one)))).resolves.toEqual(all);
    expect((await inboxOf(connect().db)).sort()).toEqual(all.toSorted());
    expect(woken).toBe(store.kind === "sqlite" ? 1 : 3);
  });
});

onPostgres("an append", (open) => {
  test("an append is a single statement without a transaction, for all that wait", async () => {
    const { target, time, newId } = await open();
    const said: string[] = [];
    const store = openStore(target, time, newId, { dialect: overheard(target, said) });
    try {
      await Promise.all(some(60).map((one) => store.batchAppend(appendAll, one)));
      expect(said.map((text) => text.slice(0, 18))).toEqual(['insert into "inbox']);
    } finally {
      await store.close();
    }
  });

  test("an append whose connection is lost meanwhile is repeated on another one", async () => {
    const { store, connect } = await open();
    const other = connect();
    const appended = await other.db.transaction().execute(async (trx) => {
      await sql`lock table inbox in exclusive mode`.execute(trx);
      const appending = store.batchAppend(appendAll, "exe_1");
      await expect.poll(() => endWaiting(trx)).toBe(1);
      return { appending };
    });
    await appended.appending;
    expect(await inboxOf(store.db)).toEqual(["exe_1"]);
  });
});

/** Ends the connections that wait for a lock. Returns how many. */
async function endWaiting(db: Db): Promise<number> {
  const { rows } = await sql`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`.execute(db);
  return rows.length;
}

/** Writes down each statement. */
function overheard(target: DatabaseTarget, said: string[]): Dialect {
  const dialect = openDialect(target);
  const driver = dialect.createDriver();
  const acquire = driver.acquireConnection.bind(driver);
  driver.acquireConnection = async (options) => {
    const connection = await acquire(options);
    const execute = connection.executeQuery.bind(connection);
    connection.executeQuery = (query) => {
      said.push(query.sql);
      return execute(query);
    };
    return connection;
  };
  dialect.createDriver = () => driver;
  return dialect;
}
