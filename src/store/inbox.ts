// The inbox: callbacks that are acknowledged and not filed yet.
import { type Insertable, type Selectable, sql } from "kysely";
import { insertRows } from "./db/rows.ts";
import type { InboxTable } from "./db/schema.ts";
import { isChosen, isSqlite, statementForRows, statementWithLimit } from "./db/statements.ts";
import type { Db } from "./db/transaction.ts";

export type InboxRow = Selectable<InboxTable>;

export async function appendToInbox(db: Db, rows: Insertable<InboxTable>[]): Promise<void> {
  await insertRows(db, "inbox", rows);
}

export type InboxEntry = Pick<InboxRow, "seq" | "execution_id" | "received_at">;

/** The oldest entries first. The limit is rounded up. */
export async function readInbox(db: Db, limit: number): Promise<InboxEntry[]> {
  return (await oldest(db, {}, Math.ceil(limit / ROUNDED_TO) * ROUNDED_TO)).rows;
}

const ROUNDED_TO = 500;

const oldest = statementWithLimit<Record<string, never>, InboxEntry>((db, _values, limit) =>
  db.selectFrom("inbox").select(["seq", "execution_id", "received_at"]).orderBy("seq").limit(limit),
);

/** A row that was taken out of the inbox, and how many callbacks of its execution are filed. */
export type TakenRow = InboxRow & { stored: number };

/** Removes rows from the inbox and returns them in the order of arrival, without those that another transaction takes. */
export async function takeFromInbox(db: Db, seqs: number[]): Promise<TakenRow[]> {
  const rows = await deleteRows(db, seqs);
  return rows
    .map((row) => ({ ...row, stored: Number(row.stored) }))
    .sort((one, other) => one.seq - other.seq);
}

const deleteRows = statementForRows<number, InboxRow & { stored: unknown }>((db, seqs) =>
  db
    .deleteFrom("inbox")
    .where(isSqlite(db) ? sql<boolean>`seq in (${sql.join(seqs)})` : isChosen(db, withSeq(db, seqs), "seq"))
    .returningAll()
    .returning(({ selectFrom, fn }) =>
      selectFrom("callbacks")
        .select(fn.countAll().as("count"))
        .whereRef("callbacks.execution_id", "=", "inbox.execution_id")
        .as("stored"),
    ),
);

const withSeq = (db: Db, seqs: readonly number[]) =>
  db.selectFrom("inbox").select("seq").where("seq", "in", seqs);

export async function inboxOf(
  db: Db,
  executionId: string,
  after: string,
  limit: number,
): Promise<InboxRow[]> {
  const query = db.selectFrom("inbox").selectAll().where("execution_id", "=", executionId);
  return query.where("id", ">", after).orderBy("seq").limit(limit).execute();
}

export async function entriesOf(db: Db, executionIds: string[], limit: number): Promise<InboxEntry[]> {
  const query = db.selectFrom("inbox").select(["seq", "execution_id", "received_at"]);
  return query.where("execution_id", "in", executionIds).orderBy("seq").limit(limit).execute();
}

export interface Backlog {
  callbacks: number;
  oldestAt: number | null;
}

export async function readBacklog(db: Db): Promise<Backlog> {
  const some = db.selectFrom("inbox").select("received_at").orderBy("seq").limit(MAX_COUNTED).as("some");
  const query = db
    .selectFrom(some)
    .select(({ fn }) => [fn.countAll().as("callbacks"), fn.min("received_at").as("oldestAt")]);
  const { callbacks, oldestAt } = await query.executeTakeFirstOrThrow();
  return { callbacks: Number(callbacks), oldestAt };
}

const MAX_COUNTED = 10_000;
