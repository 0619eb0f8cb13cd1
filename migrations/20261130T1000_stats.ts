// Numbers by minute and by hour, for charts. The instance is part of the key, so that no two of them write one row.
import { type Kysely, SqliteAdapter, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  const isSqlite = db.getExecutor().adapter instanceof SqliteAdapter;
  await sql`create table stats (
    step text not null check (step in ('1m', '1h')), at bigint not null, name text not null, instance text not null,
    value bigint not null,
    constraint stats_pk primary key (step, at, name, instance)
  ) ${sql.raw(isSqlite ? "without rowid" : "")}`.execute(db);
}
