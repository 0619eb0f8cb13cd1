// The shared parts of the schemas: ids, names, status words, and lists that skip unreadable items.
import { z } from "zod";
import { isObject, readId, readName } from "./lenient-values.ts";

export const id = z.unknown().transform(readId).pipe(z.string());
export const name = z.unknown().transform(readName).pipe(z.string());
/** A status is a text: the oldest success envelope carries a number under the same name [introduction, 2025]. */
export const word = z
  .string()
  .transform((text) => text.trim())
  .pipe(z.string().min(1));

export function holdsError(answer: Record<string, unknown>): boolean {
  return (answer.detail ?? answer.error) != null;
}

const wrappers = ["executions", "data", "workloads", "items", "logs", "machine_types"];

/** Null without a list. */
export function itemsOf(answer: unknown): unknown[] | null {
  if (Array.isArray(answer)) return answer;
  const lists = [...wrappers, "available_hardware_profiles"].map((name) => field(answer, name));
  return lists.find((list): list is unknown[] => Array.isArray(list)) ?? null;
}

/** @param read returns the item in a list, or an empty list if the item is unreadable */
export function listOf<T>(read: (item: unknown) => T[]) {
  return z.unknown().transform((answer, context): T[] => {
    const items = itemsOf(answer);
    if (items) return items.flatMap(read);
    context.addIssue("a list was due");
    return z.NEVER;
  });
}

/** The readable items: an odd row must not hide the others. */
export function readable<T>(items: unknown[], item: z.ZodType<T>): T[] {
  return items.flatMap(by(item));
}

export function by<T>(item: z.ZodType<T>) {
  return (value: unknown): T[] => {
    const read = item.safeParse(value);
    return read.success ? [read.data] : [];
  };
}

export function field(value: unknown, name: string): unknown {
  return isObject(value) ? value[name] : undefined;
}
