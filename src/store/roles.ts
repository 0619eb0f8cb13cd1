// Work that one instance does for all. A lease in a row works behind a pooler. Two holders waste calls and do no harm.
import { sql } from "kysely";
import type { Db } from "./db/transaction.ts";

export async function takeRole(
  db: Db,
  { name, holder, now, until }: { name: string; holder: string; now: number; until: number },
): Promise<boolean> {
  const { rows } = await sql<{ holder: string }>`
    insert into roles (name, holder, until_at) values (${name}, ${holder}, ${until})
    on conflict (name) do update set holder = excluded.holder, until_at = excluded.until_at
      where roles.until_at < ${now} or roles.holder = excluded.holder
    returning holder`.execute(db);
  return rows.length > 0;
}

export async function freeRoles(db: Db, holders: string[]): Promise<void> {
  await db.deleteFrom("roles").where("holder", "in", holders).execute();
}
