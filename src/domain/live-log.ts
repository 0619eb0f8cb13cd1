// The log of a live execution. It only grows at its end: a reader's position stays valid while Lyceum's reads overlap.
import { hash } from "node:crypto";
import { byTime, type LogEntry, oldestFirst, toLine } from "./logs.ts";

export interface LiveLog {
  /**
   * Adds the lines that no earlier read had, oldest first; a line printed several times at an instant, as often as the
   * read that has most of it. Yields, so that others can work meanwhile.
   */
  add(read: readonly LogEntry[]): Generator<void, void>;
  /** `dropped` counts the lines in between that are no longer held. */
  after(position: number, most: number): { entries: LogEntry[]; position: number; dropped: number };
  entries(): readonly LogEntry[];
  length(): number;
}

export function createLiveLog({ maxEntries = MAX_ENTRIES, maxChars = MAX_CHARS } = {}): LiveLog {
  let held: LogEntry[] = [];
  let chars = 0;
  let dropped = 0;
  /** Oldest first. */
  const known = new Map<string, number>();

  function* add(read: readonly LogEntry[]): Generator<void, void> {
    const seen = new Map<string, number>();
    const fresh = [];
    for (const [index, entry] of read.entries()) {
      if (index % ENTRIES_PER_SLICE === ENTRIES_PER_SLICE - 1) yield;
      const line = toLine(entry);
      const key = hash("sha1", line.identity, "base64");
      const count = (seen.get(key) ?? 0) + 1;
      seen.set(key, count);
      if (count <= (known.get(key) ?? 0)) continue;
      known.set(key, count);
      fresh.push(line);
    }
    for (const { entry } of oldestFirst(fresh).sort(byTime)) {
      held.push(entry);
      chars += entry.message.length;
    }
    forget();
  }

  function forget(): void {
    let count = 0;
    while (held.length - count > maxEntries || (chars > maxChars && count < held.length - 1)) {
      chars -= held[count]?.message.length ?? 0;
      count += 1;
    }
    if (count > 0) held = held.slice(count);
    dropped += count;
    // A dropped line stays known for a while: the next reads still have it.
    for (const key of known.keys()) {
      if (known.size <= KNOWN_PER_ENTRY * maxEntries) break;
      known.delete(key);
    }
  }

  return {
    add,
    after(position, most) {
      const from = Math.max(position, dropped);
      const entries = held.slice(from - dropped, from - dropped + most);
      return { entries, position: from + entries.length, dropped: from - position };
    },
    entries: () => held,
    length: () => dropped + held.length,
  };
}

/** Twice what Lyceum tells in one answer. */
const MAX_ENTRIES = 20_000;
const MAX_CHARS = 4 * 1024 * 1024;
const KNOWN_PER_ENTRY = 2;
/** About ten milliseconds of work. */
const ENTRIES_PER_SLICE = 1_000;

/** The outcome of the last read from Lyceum. */
export type LiveState =
  | { type: "shown"; truncated: boolean; readAt: number }
  | { type: "empty"; readAt: number }
  /** Lyceum was not asked, or gave no answer that can be used. */
  | { type: "away"; detail: string; retryAfterMs: number };

/** The log of one execution, shared by its readers. */
export interface LiveReader {
  log: LiveLog;
  /** Reads Lyceum, unless it was read less than 5 s ago or is being read. */
  refresh(): Promise<LiveState>;
  add(read: readonly LogEntry[]): Promise<void>;
  /** A closed reader's log may be forgotten. */
  close(): void;
}
