// Moves a stopped service's SQLite file to PostgreSQL: stamps it, copies all rows in one transaction, compares them.
import { createHash } from "node:crypto";
import { Kysely, sql } from "kysely";
import { DatabaseRefused } from "../lib/database-error.ts";
import { nameOf, openDialect } from "./db/dialect.ts";
import type { PostgresTarget } from "./db/postgres.ts";
import { insertRows } from "./db/rows.ts";
import type { Schema } from "./db/schema.ts";
import type { SqliteTarget } from "./db/sqlite.ts";
import type { Db } from "./db/transaction.ts";
import { MAX_START_MS } from "./places.ts";

type Row = Record<string, unknown>;
type Table = keyof Schema & string;

/** Referenced tables come before those that refer to them; all others follow. */
const FIRST = ["api_keys", "jobs", "specs", "runs", "executions", "callbacks", "artifacts", "webhooks"];
/** They say who works on a database, or hold what the migrations wrote. */
const NOT_COPIED = new Set(["instances", "roles", "places", "quotas"]);
const MOVED_AT = "moved_at";

export async function assertNotMoved(db: Db): Promise<void> {
  const stamp = await stampOf(db);
  if (stamp === null) return;
  throw new DatabaseRefused(
    78,
    `this SQLite file was moved to PostgreSQL at ${new Date(stamp).toISOString()}: set DATABASE_URL to that database, or run \`proctor move --undo\``,
  );
}

async function stampOf(db: Db): Promise<number | null> {
  const query = db.selectFrom("counters").select("value").where("name", "=", MOVED_AT);
  return (await query.executeTakeFirst())?.value ?? null;
}

export async function undoMove(source: Db): Promise<boolean> {
  const { numDeletedRows } = await source
    .deleteFrom("counters")
    .where("name", "=", MOVED_AT)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

export interface MoveOptions {
  from: SqliteTarget;
  to: PostgresTarget;
  /** Starts of this time before now count against the limit at the new place, too. */
  startWindowMs: number;
  now: number;
  onTable(table: string, rows: number): void;
}

/**
 * Both databases are migrated and locked by the caller. If this throws, the target is empty, and the file stays
 * stamped.
 * @throws DatabaseRefused when the target has jobs
 */
export async function move(source: Db, options: MoveOptions): Promise<void> {
  const { to, startWindowMs, now, onTable } = options;
  const target = new Kysely<Schema>({ dialect: openDialect({ ...to, pool: 2, silentMs: null }) });
  try {
    if ((await countRows(target, "jobs")) > 0 || (await countRows(target, "events")) > 0)
      throw new DatabaseRefused(78, `${nameOf(to)} has rows already: name an empty database`);
    await source
      .insertInto("counters")
      .values({ name: MOVED_AT, value: now })
      .onConflict((c) => c.column("name").doUpdateSet({ value: now }))
      .execute();
    await target.transaction().execute(async (trx) => {
      for (const table of await tablesOf(source)) {
        const copied = await copyTable(source, trx, table);
        const found = await digestOf(rowsInPostgres(trx, table));
        if (found.rows !== copied.rows || found.sum !== copied.sum)
          throw new Error(`${table}: ${copied.rows} rows were copied, and ${found.rows} read back differ`);
        onTable(table, copied.rows);
      }
      await takePlaces(trx, startWindowMs, now);
      await sql`select setval('dispatch_tick', greatest(1, (select max(value) from counters where name = 'dispatch.tick'))),
        setval(pg_get_serial_sequence('inbox', 'seq'), greatest(1, (select max(seq) from inbox)))`.execute(
        trx,
      );
    });
    await sql`analyze`.execute(target);
  } finally {
    await target.destroy();
  }
}

async function countRows(db: Db, table: Table): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*) as count from ${sql.table(table)}`.execute(
    db,
  );
  return Number(rows[0]?.count ?? 0);
}

async function tablesOf(db: Db): Promise<Table[]> {
  const all = (await db.introspection.getTables()).map(({ name }) => name);
  const copied = all.filter((name) => !NOT_COPIED.has(name) && !name.startsWith("kysely_"));
  const others = copied.filter((name) => !FIRST.includes(name)).sort();
  return [...FIRST.filter((name) => copied.includes(name)), ...others] as Table[];
}

async function copyTable(source: Db, target: Db, table: Table): Promise<Digest> {
  const digest = createDigest();
  let batch: Row[] = [];
  const write = async () => {
    await insertRows(target, table, batch as never);
    batch = [];
  };
  for await (const row of source.selectFrom(table).selectAll().stream(ROWS_AT_ONCE)) {
    const copied = withoutHolder(row as Row);
    if (table === "counters" && copied.name === MOVED_AT) continue;
    digest.add(copied);
    batch.push(copied);
    if (batch.length === ROWS_AT_ONCE) await write();
  }
  if (batch.length > 0) await write();
  return digest.result();
}

const ROWS_AT_ONCE = 256;

/** No instance at the new place has claimed anything yet. */
function withoutHolder(row: Row): Row {
  return "claimed_by" in row ? { ...row, claimed_by: null } : row;
}

async function* rowsInPostgres(db: Db, table: Table): AsyncGenerator<Row> {
  await sql`declare copied no scroll cursor for select * from ${sql.table(table)}`.execute(db);
  for (;;) {
    const { rows } = await sql<Row>`fetch ${sql.lit(ROWS_AT_ONCE)} from copied`.execute(db);
    if (rows.length === 0) break;
    yield* rows;
  }
  await sql`close copied`.execute(db);
}

interface Digest {
  rows: number;
  sum: bigint;
}

async function digestOf(rows: AsyncIterable<Row>): Promise<Digest> {
  const digest = createDigest();
  for await (const row of rows) digest.add(row);
  return digest.result();
}

function createDigest() {
  let rows = 0;
  let sum = 0n;
  return {
    add(row: Row) {
      rows++;
      const hash = createHash("sha256").update(canonical(row)).digest();
      sum = BigInt.asUintN(64, sum + hash.readBigUInt64BE());
    },
    result: (): Digest => ({ rows, sum }),
  };
}

function canonical(row: Row): string {
  const columns = Object.keys(row).sort();
  return JSON.stringify(
    columns.map((column) => {
      const value = row[column];
      return [column, Buffer.isBuffer(value) ? value.toString("base64") : value];
    }),
  );
}

async function takePlaces(db: Db, windowMs: number, now: number): Promise<void> {
  await sql`
    insert into places (execution_id, taken_at, free_at)
    select id, submitted_at, least(submitted_at + ${MAX_START_MS}, ${now}) + ${windowMs}::bigint
    from executions where submitted_at > ${now - windowMs - MAX_START_MS}`.execute(db);
}
