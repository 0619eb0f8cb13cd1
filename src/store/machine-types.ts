// Lyceum's hardware and prices, as last fetched.
import type { Selectable } from "kysely";
import type { MachineTypesTable } from "./db/schema-service.ts";
import { statement } from "./db/statements.ts";
import type { Db } from "./db/transaction.ts";

export type MachineTypeRow = Selectable<MachineTypesTable>;

export async function listMachineTypes(db: Db): Promise<MachineTypeRow[]> {
  return (await selectAll(db, {})).rows;
}

const selectAll = statement<Record<string, never>, MachineTypeRow>((db) =>
  db.selectFrom("machine_types").selectAll().orderBy("hardware_profile"),
);

export async function priceOf(db: Db, hardware: string): Promise<number | null> {
  return (await selectPrice(db, { hardware })).rows[0]?.price_per_hour ?? null;
}

const selectPrice = statement<{ hardware: string }, { price_per_hour: number | null }>((db, { hardware }) =>
  db.selectFrom("machine_types").select("price_per_hour").where("hardware_profile", "=", hardware),
);

export async function replaceMachineTypes(db: Db, rows: MachineTypeRow[]): Promise<void> {
  await db.deleteFrom("machine_types").execute();
  if (rows.length === 0) return;
  // A role that changes hands has two holders for a moment.
  await db
    .insertInto("machine_types")
    .values(rows)
    .onConflict((conflict) =>
      conflict.column("hardware_profile").doUpdateSet(({ ref }) => ({
        price_per_hour: ref("excluded.price_per_hour"),
        available: ref("excluded.available"),
        fetched_at: ref("excluded.fetched_at"),
      })),
    )
    .execute();
}
