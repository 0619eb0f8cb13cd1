// The time for which a start counts in the limit that a process keeps in memory. After a restart the starts are counted
// anew from the database.
import { MAX_START_MS } from "../store/places.ts";
import type { AppParts } from "./context.ts";

/** Null: there is no limit, or the instances share it in their database. */
export function startWindowMs({ config, context }: Pick<AppParts, "config" | "context">): number | null {
  return context.sharedLimits === null ? (config.submit.limit?.windowMs ?? null) : null;
}

/** From the claim of the start. Null as above. */
export function startsCountedMs(parts: Pick<AppParts, "config" | "context">): number | null {
  const windowMs = startWindowMs(parts);
  return windowMs === null ? null : windowMs + MAX_START_MS;
}
