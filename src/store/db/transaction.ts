// The transaction that writing code gets: its time, events, wake-ups and effects after the commit.
import type { Kysely } from "kysely";
import type { EventDraft } from "../../domain/event.ts";
import type { NewId } from "../../lib/id.ts";
import type { Schema } from "./schema.ts";

export type Db = Kysely<Schema>;

export type Topic =
  | "dispatch"
  | "reconcile"
  | "collect"
  | "enforce-limits"
  | "delete-jobs"
  | "delete-remote"
  | "deliver"
  | "pauses"
  | "events";

export interface Tx {
  db: Db;
  now: number;
  newId: NewId;
  instance: string;
  /** Events are numbered and written together at the end of the transaction. */
  emit(...events: EventDraft[]): void;
  /** For the charts (store/stats.ts); written at the end of the transaction. */
  count(name: string, by: number): void;
  /** After the commit wakes the topic's worker for `dueAt`; the earliest of several counts. */
  wake(topic: Topic, dueAt: number): void;
  /** Writes rows that many transactions write: as the last of this one, in the order of their names. */
  atEnd(name: string, write: () => Promise<unknown>): void;
  /** For effects in memory, such as metrics, because a transaction may run more than once. */
  afterCommit(effect: () => void): void;
}

/** For a statement of its own: nothing else belongs to it. */
export type Append = Pick<Tx, "db" | "now" | "newId" | "wake">;

export type Write<T> = (tx: Tx) => Promise<T>;

/** Groups items by row, sorted by row id. Locking in this one order prevents deadlocks. */
export function groupSortedByRow<T>(
  items: readonly T[],
  rowOf: (item: T) => string,
): [row: string, items: T[]][] {
  return [...Map.groupBy(items, rowOf)].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** A compare-and-set met a newer version: rolls back and repeats the transaction. */
export class Conflict extends Error {
  override name = "Conflict";
}
