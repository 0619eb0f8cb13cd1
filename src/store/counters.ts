// Named numbers that are kept with the change they count.
import { statement } from "./db/statements.ts";
import type { Db } from "./db/transaction.ts";

/** Adds to a counter and answers its new value. The row stays locked until the transaction ends. */
export async function incrementCounter(db: Db, name: string, by: number): Promise<number> {
  const [row] = (await advance(db, { name, by })).rows;
  if (row === undefined) throw new Error(`the counter ${name} was not advanced`);
  return row.value;
}

const advance = statement<{ name: string; by: number }, { value: number }>((db, { name, by }) =>
  db
    .insertInto("counters")
    .values({ name, value: by })
    .onConflict((c) => c.column("name").doUpdateSet((eb) => ({ value: eb("counters.value", "+", by) })))
    .returning("value"),
);

/** All counters whose name begins so, without that beginning. */
export async function readCounters(db: Db, prefix: string): Promise<Record<string, number>> {
  const rows = await db.selectFrom("counters").selectAll().where("name", "like", `${prefix}%`).execute();
  return Object.fromEntries(rows.map((row) => [row.name.slice(prefix.length), row.value]));
}
