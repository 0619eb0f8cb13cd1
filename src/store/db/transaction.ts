// What a piece of writing work is given: the transaction, its moment, and the means to tell of the change.
import type { Kysely } from "kysely";
import type { EventDraft } from "../../domain/event.ts";
import type { NewId } from "../../lib/id.ts";
import type { Schema } from "./schema.ts";

export type Db = Kysely<Schema>;

/** Who is woken by a commit. */
export type Topic = "dispatch" | "check" | "collect" | "steer" | "erase" | "deliver" | "events";

export interface Tx {
  db: Db;
  now: number;
  newId: NewId;
  /** The id of this process among those that share the database. */
  instance: string;
  /** Events are numbered and written together at the end of the transaction. */
  emit(...events: EventDraft[]): void;
  /** After the commit, and only then, the topic's worker hears that there is work from `dueAt` on: the earliest of all. */
  wake(topic: Topic, dueAt: number): void;
  /** What is told or learned in memory: after the commit, and only then. A work may run more than once. */
  afterCommit(effect: () => void): void;
}

export type Work<T> = (tx: Tx) => Promise<T>;

/**
 * Groups of what concerns the same row, always in the same order of the rows: who locks them in this order never waits
 * in a circle for others who do.
 */
export function groupSortedByRow<T>(
  items: readonly T[],
  rowOf: (item: T) => string,
): [row: string, items: T[]][] {
  return [...Map.groupBy(items, rowOf)].sort(([one], [other]) => (one < other ? -1 : 1));
}

/** Thrown inside a transaction when a compare-and-set met a newer version: everything is rolled back and redone. */
export class Conflict extends Error {
  override name = "Conflict";
}
