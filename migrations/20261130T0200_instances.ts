// Several instances on one database: who is alive, who claimed a row last, places in the limits on starts, and roles.
import { type Kysely, SqliteAdapter, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const text of [
    `create table instances (
      id text primary key,
      version text not null,
      started_at bigint not null,
      beat_at bigint not null,
      clock_offset_ms bigint not null)`,
    "alter table executions add column claimed_by text",
    "alter table deliveries add column claimed_by text",
    "create index deliveries_claimed on deliveries (claimed_by) where claimed_by is not null",
    `create table places (
      execution_id text primary key,
      taken_at bigint not null,
      free_at bigint)`,
    "create index places_free on places (free_at)",
    `create table quotas (
      call_group text primary key,
      max_calls integer,
      remaining integer,
      resets_at bigint,
      reported_at bigint not null)`,
    "create table roles (name text primary key, holder text not null, until_at bigint not null)",
  ])
    await sql.raw(text).execute(db);
  // A row that claims lock: one transaction at a time counts the places and takes some.
  await sql`insert into quotas (call_group, reported_at) values ('execution', 0)`.execute(db);
  if (db.getExecutor().adapter instanceof SqliteAdapter) return;
  // Above every tick that the counter has given. Turns need their order, not the absence of gaps.
  await sql`create sequence dispatch_tick`.execute(db);
  await sql`select setval('dispatch_tick', greatest(1, (select max(value) from counters where name = 'dispatch.tick')))`.execute(
    db,
  );
}
