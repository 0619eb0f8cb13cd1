// What every answer carries.
import type { NewId } from "../lib/id.ts";

export const commonHeaders = { "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store" } as const;

/** A caller's own id is taken over if it is short and plain. */
export function requestIdOf(given: string | string[] | undefined, newId: NewId): string {
  return typeof given === "string" && /^[A-Za-z0-9._-]{1,128}$/.test(given) ? given : newId("req");
}
