// Which form of an answer the caller asks for.
import type { RequestContext } from "./request-context.ts";

/** Whether `Accept` names one of the types itself, and not to be spared it with `q=0`. A wildcard names none. */
export function acceptsExplicitly(c: RequestContext, ...types: string[]): boolean {
  const ranges = (c.req.header("Accept") ?? "").toLowerCase().split(",");
  return ranges.some((range) => {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim());
    return types.includes(type) && !parameters.some((one) => /^q=0(\.0*)?$/.test(one));
  });
}
