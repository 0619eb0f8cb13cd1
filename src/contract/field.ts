// Fields that several schemas share: ids, times, credits.
import { z } from "zod";
import type { Prefix } from "../lib/id.ts";

const EXAMPLE_ID = "01kawv9x2m4t6r8s0p1q3n5v7w";

/** Ids sort by creation time. */
export function idOf(prefix: Prefix, description: string) {
  return z
    .string()
    .regex(new RegExp(`^${prefix}_`))
    .meta({ description, examples: [`${prefix}_${EXAMPLE_ID}`] });
}

export const jobId = idOf("job", "The job's id.");
export const runId = idOf("run", "The run's id.");
export const executionId = idOf("exe", "The execution's id, which exists before the start at Lyceum.");
export const lyceumId = z.string().describe("Lyceum's id of the execution, known from Lyceum's answer on.");
export const traceUrl = z
  .string()
  .nullable()
  .describe("The job's trace, by OTEL_TRACE_URL; null without that setting or without a trace.");

/** ISO 8601, UTC, with milliseconds. */
export const time = z
  .string()
  .regex(/\.\d{3}Z$/)
  .meta({ format: "date-time" });

export const count = z.int().min(0);
export const credits = z.number().min(0).describe("Lyceum credits.");
export const durationMs = z.number().min(0).describe("Milliseconds from start to end at Lyceum.");
export const costSource = z
  .enum(["billed", "estimated"])
  .describe("`billed`: reported by Lyceum. `estimated`: price of the hardware times duration.");

export function eachOf<K extends string, V extends z.ZodType>(names: readonly K[], value: V) {
  return z.object(Object.fromEntries(names.map((name) => [name, value])) as Record<K, V>);
}

/** A list is read in slices, and one request reads only so many. */
export const shortPages = "A page may hold fewer items than `limit` and not be the last.";

export function pageOf<T extends z.ZodType>(item: T): z.ZodObject<PageShape<T>> {
  const known = pages.get(item);
  if (known !== undefined) return known as z.ZodObject<PageShape<T>>;
  const { id, examples = [] } = item.meta() ?? {};
  const [example] = examples as z.output<T>[];
  const page = z
    .object({
      data: z.array(item),
      next_cursor: z
        .string()
        .nullable()
        .describe("Pass as `cursor` to read the next page; null on the last page."),
    })
    .meta({
      ...(id === undefined ? {} : { id: `${id}Page` }),
      examples: example === undefined ? [] : [{ data: [example], next_cursor: null }],
    });
  pages.set(item, page);
  return page;
}

interface PageShape<T extends z.ZodType> extends z.ZodRawShape {
  data: z.ZodArray<T>;
  next_cursor: z.ZodNullable<z.ZodString>;
}

/** One schema per kind of item, so that the document names each kind of page once. */
const pages = new Map<z.ZodType, z.ZodObject>();
