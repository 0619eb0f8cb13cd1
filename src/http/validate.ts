// Turns zod's issues into the errors of a problem: pointer, problem and the way out.
import type { z } from "zod";
import type { FieldError } from "../contract/problem.ts";
import "../contract/wording.ts";
import { clip } from "../lib/clip.ts";

export type Validated<T> = { ok: true; value: T } | { ok: false; errors: FieldError[] };

/** A zod schema, or anything with the same `safeParse`. */
export interface Reader<T> {
  safeParse(value: unknown): Parsed<T>;
}

type Parsed<T> =
  | { success: true; data: T }
  | { success: false; error: { issues: readonly z.core.$ZodIssue[] } };

interface Options {
  hints?: Record<string, string>;
  pointer?: (path: PropertyKey[]) => string;
}

export function validate<T>(reader: Reader<T>, value: unknown, options: Options = {}): Validated<T> {
  return toValidated(reader.safeParse(value), options);
}

export function toValidated<T>(result: Parsed<T>, options: Options = {}): Validated<T> {
  if (result.success) return { ok: true, value: result.data };
  const pointer = options.pointer ?? jsonPointer;
  const errors: FieldError[] = [];
  for (const issue of result.error.issues) {
    if (errors.length >= MAX_ERRORS) break;
    errors.push(...fieldErrors(issue, pointer, options.hints ?? {}));
  }
  return { ok: false, errors: errors.slice(0, MAX_ERRORS) };
}

/** RFC 6901. */
export function jsonPointer(path: PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

const MAX_ERRORS = 200;

function fieldErrors(
  issue: z.core.$ZodIssue,
  pointer: (path: PropertyKey[]) => string,
  hints: Record<string, string>,
): FieldError[] {
  if (issue.code !== "unrecognized_keys") {
    return [{ pointer: pointer(issue.path), detail: clip(messageOf(issue), MAX_DETAIL) }];
  }
  return issue.keys.map((key) => {
    const hint = Object.hasOwn(hints, key) ? `: ${hints[key]}` : "";
    return {
      pointer: pointer([...issue.path, key]),
      detail: clip(`is not a known field${hint}`, MAX_DETAIL),
    };
  });
}

function messageOf(issue: z.core.$ZodIssue): string {
  // For an invalid key of a record the reason is one level deeper.
  if (issue.code === "invalid_key") return issue.issues[0]?.message ?? issue.message;
  return issue.message;
}

/** A message may quote a value of the caller. */
const MAX_DETAIL = 500;
