// Schemas for the values of switches.
import * as z from "zod";

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const dayMs = 24 * units.h;

export const duration = z
  .union([z.number(), z.string().regex(/^\d+(\.\d+)?(ms|s|m|h)$/)])
  .transform((value) => (typeof value === "number" ? value : Number.parseFloat(value) * unitOf(value)))
  .pipe(z.number().min(0).max(dayMs));

function unitOf(text: string): number {
  return units[text.replace(/[\d.]/g, "") as keyof typeof units];
}

export const likelihood = z.number().min(0).max(1);

/** A probability from 0 to 1; `{ next: n }` for the next n occasions; `{ for: "165s" }` for this time from now. */
export const chance = z.union([
  likelihood,
  z.strictObject({ next: z.int().min(0) }),
  z.strictObject({ for: duration }),
]);

export type Chance = z.output<typeof chance>;

export function effects<const Name extends string>(names: readonly Name[]) {
  return z.partialRecord(z.enum(names), chance);
}

/** Effects that are properties of a run, so that `next` and `for` do not apply. */
export function traits<const Name extends string>(names: readonly Name[]) {
  return z.partialRecord(z.enum(names), likelihood);
}
