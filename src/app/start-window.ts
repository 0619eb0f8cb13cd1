// The time for which a start counts in the limit that a process keeps in memory. After a restart the starts are counted
// anew from the database.
import type { AppParts } from "./context.ts";

/** The client gives a start 150 s; waiting in the queue and a fresh token take time, too. */
export const MAX_START_MS = 4 * 60_000;

/** Null: there is no limit, or the instances share it in their database. */
export function startWindowMs({ config, context }: Pick<AppParts, "config" | "context">): number | null {
  return context.sharedLimits === null ? (config.submit.limit?.windowMs ?? null) : null;
}

/** From the claim of the start. Null as above. */
export function startsCountedMs(parts: Pick<AppParts, "config" | "context">): number | null {
  const windowMs = startWindowMs(parts);
  return windowMs === null ? null : windowMs + MAX_START_MS;
}
