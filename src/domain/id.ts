// Ids: a type prefix and a ULID in lower case, so that they sort by time and insert at the end of an index.
import { monotonicFactory } from "ulid";
import type { Clock } from "./clock.ts";

export type Prefix = "job" | "run" | "exe" | "whk" | "dlv" | "evt" | "cbk" | "req";
export type NewId = (prefix: Prefix) => string;

/** @param random numbers in [0, 1); defaults to the system's cryptographic source. */
export function idSource(clock: Clock, random?: () => number): NewId {
  const next = monotonicFactory(random);
  return (prefix) => `${prefix}_${next(clock.now()).toLowerCase()}`;
}

const shape = /^(job|run|exe|whk|dlv|evt|cbk|req)_[0-9a-hjkmnp-tv-z]{26}$/;

export function isId(text: string, prefix: Prefix): boolean {
  return shape.test(text) && text.startsWith(`${prefix}_`);
}
