// The revision of the settings that are kept in the database, so that an older instance that restarts in the middle of a
// rolling update does not take back what a newer one has set.
import type { Db } from "./db/transaction.ts";

/** True if no higher revision has been applied. Null always may. */
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
