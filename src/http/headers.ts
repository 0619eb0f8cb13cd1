// Headers of all answers, and the headers by which callers choose.
import type { NewId } from "../lib/id.ts";
import type { RequestContext } from "./request-context.ts";

export const commonHeaders = { "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store" } as const;

export function requestIdOf(given: string | string[] | undefined, newId: NewId): string {
  return typeof given === "string" && /^[A-Za-z0-9._-]{1,128}$/.test(given) ? given : newId("req");
}

/** By name and without `q=0`. A wildcard does not count. */
export function acceptsExplicitly(c: RequestContext, ...types: string[]): boolean {
  const ranges = (c.req.header("Accept") ?? "").toLowerCase().split(",");
  return ranges.some((range) => {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim());
    return types.includes(type) && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}
