// Cursors: opaque to callers. Each names its kind of list, so that a cursor of another list is refused.
import type { Validated } from "./validate.ts";

export interface Page<T> {
  data: T[];
  next_cursor: string | null;
}

type CursorKind =
  | ("job" | "run" | "webhook" | "delivery" | "callback" | "inbox" | "event" | "stray")
  | ("position" | "position_desc" | `${"duration" | "cost" | "ended_at"}_${"asc" | "desc"}`);

/** The final full stop shows that the cursor was not truncated. */
export function cursorOf(kind: CursorKind, value: string | number): string {
  return Buffer.from(`${kind}:${value}.`).toString("base64url");
}

/** Undefined without a cursor. */
export function readCursor(cursor: string | undefined, kind: CursorKind): Validated<string | undefined> {
  if (cursor === undefined) return { ok: true, value: undefined };
  const [, value] =
    new RegExp(`^${kind}:([a-z0-9_]+)\\.$`).exec(Buffer.from(cursor, "base64url").toString("utf8")) ?? [];
  if (value !== undefined && (numbers[kind]?.test(value) ?? true)) return { ok: true, value };
  return {
    ok: false,
    errors: [
      { pointer: "query:cursor", detail: "is not a next_cursor of this list; start again without it" },
    ],
  };
}

const position = /^\d{1,9}$/;
/** A value, which may be unknown, and the position of its run. */
const place = /^(none|\d{1,15})_\d{1,9}$/;
/** Kinds whose position is a number, with as many digits as the database takes. */
const numbers: Partial<Record<CursorKind, RegExp>> = {
  ...{ event: /^\d{1,15}$/, position, position_desc: position },
  ...{ duration_asc: place, duration_desc: place, cost_asc: place, cost_desc: place },
  ...{ ended_at_asc: place, ended_at_desc: place },
};

export function pageOf<Row, View>(
  { rows, next }: { rows: Row[]; next: string | number | null },
  kind: CursorKind,
  view: (row: Row) => View,
): Page<View> {
  return { data: rows.map(view), next_cursor: next === null ? null : cursorOf(kind, next) };
}

/** Makes a page from `limit + 1` rows: the additional row tells whether more follow. */
export function toPage<Row, View>(
  rows: Row[],
  limit: number,
  view: (row: Row) => View,
  cursor: (row: Row) => string,
): Page<View> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    data: shown.map(view),
    next_cursor: rows.length > limit && last !== undefined ? cursor(last) : null,
  };
}
