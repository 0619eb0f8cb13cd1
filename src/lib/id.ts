// Ids: a type prefix and a ULID in lower case, so that they sort by time and insert at the end of an index.
import { randomFillSync } from "node:crypto";
import { decodeTime, encodeTime, monotonicFactory, TIME_LEN, TIME_MAX } from "ulid";
import type { Clock } from "./clock.ts";

export type Prefix = "job" | "run" | "exe" | "whk" | "dlv" | "evt" | "cbk" | "req";
export type NewId = (prefix: Prefix) => string;

/** @param random numbers in [0, 1); defaults to the system's cryptographic source. */
export function idSource(clock: Clock, random: () => number = pooledRandom()): NewId {
  const next = monotonicFactory(random);
  return (prefix) => `${prefix}_${next(clock.now()).toLowerCase()}`;
}

const shape = /^(job|run|exe|whk|dlv|evt|cbk|req)_[0-9a-hjkmnp-tv-z]{26}$/;

export function isId(text: string, prefix: Prefix): boolean {
  return shape.test(text) && text.startsWith(`${prefix}_`);
}

export function timeOfId(id: string): number {
  return decodeTime(id.slice(id.indexOf("_") + 1).toUpperCase());
}

/** The id of the thing with this number: unique if no other of its time has the same number. */
export function idOfNumber(prefix: Prefix, at: number, number: number): string {
  return `${prefix}_${(encodeTime(at, TIME_LEN) + encodeTime(number, RANDOM_LENGTH)).toLowerCase()}`;
}

export function idBound(prefix: Prefix, at: number): string {
  const time = encodeTime(Math.min(Math.max(Math.floor(at), 0), TIME_MAX), TIME_LEN);
  return `${prefix}_${time.toLowerCase()}${"0".repeat(RANDOM_LENGTH)}`;
}

const RANDOM_LENGTH = 16;

/** Cryptographic randomness, a page at a time: a call for each character costs more than the rest of an id. */
function pooledRandom(): () => number {
  const pool = new Uint8Array(4096);
  let used = pool.length;
  return () => {
    if (used === pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    return (pool[used++] ?? 0) / 256;
  };
}
