// The revision of the settings in the database: in a rolling update an older instance does not take back newer ones.
import type { Db } from "./db/transaction.ts";

/** A higher revision was not applied. Null always may. */
export async function mayApply(db: Db, revision: number | null): Promise<boolean> {
  if (revision === null) return true;
  const rows = await db
    .insertInto("counters")
    .values({ name: "settings.revision", value: revision })
    .onConflict((c) =>
      c.column("name").doUpdateSet({ value: revision }).where("counters.value", "<=", revision),
    )
    .returning("value")
    .execute();
  return rows.length > 0;
}
