// What the answers are made of: ids, times, credits.
import { z } from "zod";
import type { Prefix } from "../lib/id.ts";

const example = "01kawv9x2m4t6r8s0p1q3n5v7w";

/** An id: opaque behind its prefix; later ones sort behind earlier ones. */
export function idOf(prefix: Prefix, description: string) {
  return z
    .string()
    .regex(new RegExp(`^${prefix}_`))
    .meta({ description, examples: [`${prefix}_${example}`] });
}

export const jobId = idOf("job", "The job's id.");
export const runId = idOf("run", "The run's id.");
export const executionId = idOf("exe", "The execution's id, from before its submission to Lyceum on.");
export const lyceumId = z.string().describe("Lyceum's own id of it; known from Lyceum's answer on.");

/** ISO 8601, UTC, with milliseconds. */
export const time = z
  .string()
  .regex(/\.\d{3}Z$/)
  .meta({ format: "date-time" });

export const count = z.int().min(0);
export const credits = z.number().min(0).describe("Lyceum's credits.");
export const durationMs = z
  .number()
  .min(0)
  .describe("Milliseconds at Lyceum, from the start of the execution itself to its end.");
export const costSource = z
  .enum(["billed", "estimated"])
  .describe("`billed`: Lyceum's own figure. `estimated`: the price of the hardware times the duration.");

/** An object that has each of these names. */
export function eachOf<K extends string, V extends z.ZodType>(names: readonly K[], value: V) {
  return z.object(Object.fromEntries(names.map((name) => [name, value])) as Record<K, V>);
}

/** A page of a list. */
export function pageOf<T extends z.ZodType>(item: T) {
  const [shown] = (item.meta()?.examples as z.output<T>[] | undefined) ?? [];
  return z
    .object({
      data: z.array(item),
      next_cursor: z.string().nullable().describe("Give it as `cursor` for what follows; null at the end."),
    })
    .meta({ examples: shown === undefined ? [] : [{ data: [shown], next_cursor: null }] });
}
