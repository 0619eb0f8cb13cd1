// Conflicts with other writers, after which a transaction is tried again. Codes are PostgreSQL's SQLSTATE.
import { DatabaseUnavailable } from "../../lib/database-error.ts";
import { Conflict } from "./transaction.ts";

export function isConflict(error: unknown): boolean {
  return error instanceof Conflict || CONFLICTS.has(codeOf(error));
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : null;
}

export const isLockTimeout = (error: unknown) => codeOf(error) === LOCK_NOT_AVAILABLE;

const SERIALIZATION_FAILURE = "40001";
const DEADLOCK_DETECTED = "40P01";
const LOCK_NOT_AVAILABLE = "55P03";
/** A referenced row was deleted since it was read. A retry does not find it. */
const FOREIGN_KEY_VIOLATION = "23503";
const CONFLICTS = new Set<unknown>([
  SERIALIZATION_FAILURE,
  DEADLOCK_DETECTED,
  LOCK_NOT_AVAILABLE,
  FOREIGN_KEY_VIOLATION,
]);

/** Repeated conflicts mean a busy database. A referenced row that is never found is a bug. */
export function outOfTries(error: unknown): unknown {
  if (codeOf(error) === FOREIGN_KEY_VIOLATION) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new DatabaseUnavailable("busy", `conflicts with other writers did not end: ${reason}`, error);
}
