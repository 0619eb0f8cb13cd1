// Short locks of PostgreSQL on rows that all write: ticks come from a sequence, events from one statement.
import { sql } from "kysely";
import type { EventsTable } from "./db/schema.ts";
import { statement } from "./db/statements.ts";
import type { Db } from "./db/transaction.ts";

/** Returns the highest tick. Turns need the order of the ticks, and no lock until the commit. */
export async function drawTicks(db: Db, count: number): Promise<number> {
  const { rows } = await selectTicks(db, { count });
  return rows[0]?.last ?? 0;
}

const ticks = (count: unknown) =>
  sql<{
    last: number | null;
  }>`select max(nextval('dispatch_tick'))::bigint as last from generate_series(1, ${count}::int)`;

const selectTicks = statement<{ count: number }, { last: number | null }>((_db, { count }) => ticks(count));

/**
 * Draws ticks after it has stored the keys that are new. Known keys are left out, because even an insert that does
 * nothing waits for the row, which is locked while another instance starts runs of the key.
 */
export async function joinWithTicks(db: Db, apiKeys: readonly string[], count: number): Promise<number> {
  const { rows } = await insertKeysAndSelectTicks(db, { apiKeys, count });
  return rows[0]?.last ?? 0;
}

const insertKeysAndSelectTicks = statement<
  { apiKeys: readonly string[]; count: number },
  { last: number | null }
>(
  (_db, { apiKeys, count }) => sql`
    with added as (
      insert into api_keys (name, last_served_seq)
      select given.name, 0 from unnest(${apiKeys}::text[]) as given (name)
      where not exists (select 1 from api_keys where api_keys.name = given.name)
      on conflict do nothing)
    ${ticks(count)}`,
);

/** Writes events with the next numbers in one round trip, the last of the transaction but the commit. */
export async function appendNumbered(
  db: Db,
  events: readonly Omit<EventsTable, "seq">[],
  now: number,
): Promise<{ last: number; hasSubscribers: boolean }> {
  const column = <K extends keyof (typeof events)[number]>(name: K) => events.map((event) => event[name]);
  const { rows } = await insertNumbered(db, {
    count: events.length,
    now,
    types: column("type"),
    jobIds: column("job_id"),
    runIds: column("run_id"),
    executionIds: column("execution_id"),
    data: column("data"),
  });
  const [row] = rows;
  if (row === undefined) throw new Error("the event counter was not incremented");
  return { last: row.last, hasSubscribers: row.has_subscribers };
}

interface Columns {
  count: number;
  now: number;
  types: string[];
  jobIds: (string | null)[];
  runIds: (string | null)[];
  executionIds: (string | null)[];
  data: string[];
}

const insertNumbered = statement<Columns, { last: number; has_subscribers: boolean }>(
  (_db, { count, now, types, jobIds, runIds, executionIds, data }) => sql`
    with numbered as (
      insert into counters (name, value) values ('events', ${count}::bigint)
      on conflict (name) do update set value = counters.value + ${count}::bigint returning value),
    appended as (
      insert into events (seq, type, created_at, job_id, run_id, execution_id, data)
      select numbered.value - ${count}::bigint + given.place, given.type, ${now}::bigint,
        given.job_id, given.run_id, given.execution_id, given.data
      from numbered, unnest(${types}::text[], ${jobIds}::text[], ${runIds}::text[], ${executionIds}::text[],
        ${data}::text[]) with ordinality as given(type, job_id, run_id, execution_id, data, place)
      returning 1)
    select numbered.value as last,
      exists (select 1 from webhooks where disabled_at is null) as has_subscribers
    from numbered`,
);
