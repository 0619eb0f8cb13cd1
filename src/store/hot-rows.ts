// Short locks of PostgreSQL on rows that all write: ticks come from a sequence, events from one statement.
import { sql } from "kysely";
import type { EventsTable } from "./db/schema.ts";
import type { Db } from "./db/transaction.ts";

/** Returns the highest tick. Turns need the order of the ticks, and no lock until the commit. */
export async function drawTicks(db: Db, count: number): Promise<number> {
  const { rows } = await sql<{ last: number | null }>`
    select max(nextval('dispatch_tick'))::bigint as last from generate_series(1, ${count}::int)`.execute(db);
  return rows[0]?.last ?? 0;
}

/** Writes events with the next numbers in one round trip, the last of the transaction but the commit. */
export async function appendNumbered(
  db: Db,
  events: readonly Omit<EventsTable, "seq">[],
  now: number,
): Promise<{ last: number; hasSubscribers: boolean }> {
  const column = <K extends keyof (typeof events)[number]>(name: K) => events.map((event) => event[name]);
  const { rows } = await sql<{ last: number; has_subscribers: boolean }>`
    with numbered as (
      insert into counters (name, value) values ('events', ${events.length}::bigint)
      on conflict (name) do update set value = counters.value + ${events.length}::bigint returning value),
    appended as (
      insert into events (seq, type, created_at, job_id, run_id, execution_id, data)
      select numbered.value - ${events.length}::bigint + given.place, given.type, ${now}::bigint,
        given.job_id, given.run_id, given.execution_id, given.data
      from numbered, unnest(${column("type")}::text[], ${column("job_id")}::text[],
        ${column("run_id")}::text[], ${column("execution_id")}::text[], ${column("data")}::text[])
        with ordinality as given(type, job_id, run_id, execution_id, data, place)
      returning 1)
    select numbered.value as last,
      exists (select 1 from webhooks where disabled_at is null) as has_subscribers
    from numbered`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error("the event counter was not incremented");
  return { last: row.last, hasSubscribers: row.has_subscribers };
}
