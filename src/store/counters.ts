// Named counters, changed in the transaction that they count.
import { isSqlite, statement } from "./db/statements.ts";
import type { Db } from "./db/transaction.ts";
import { drawTicks } from "./hot-rows.ts";

/** Ticks number the turns of the fair queue. Returns the highest. */
export function nextTicks(db: Db, count: number): Promise<number> {
  return isSqlite(db) ? incrementCounter(db, "dispatch.tick", count) : drawTicks(db, count);
}

/** The counter's row stays locked until the transaction ends. */
export async function incrementCounter(db: Db, name: string, by: number): Promise<number> {
  const [row] = (await increment(db, { name, by })).rows;
  if (row === undefined) throw new Error(`counter ${name} was not incremented`);
  return row.value;
}

const increment = statement<{ name: string; by: number }, { value: number }>((db, { name, by }) =>
  db
    .insertInto("counters")
    .values({ name, value: by })
    .onConflict((c) => c.column("name").doUpdateSet((eb) => ({ value: eb("counters.value", "+", by) })))
    .returning("value"),
);

export async function readCounters(db: Db, prefix: string): Promise<Record<string, number>> {
  const rows = await db.selectFrom("counters").selectAll().where("name", "like", `${prefix}%`).execute();
  return Object.fromEntries(rows.map((row) => [row.name.slice(prefix.length), row.value]));
}
