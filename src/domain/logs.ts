// The log of a run, merged from several reads. Lyceum's log endpoint has no cursor, promises no order and may be late.

export interface LogEntry {
  /** As Lyceum wrote it: ISO 8601, or Loki's nanoseconds since the epoch. */
  timestamp: string;
  message: string;
  level: string | null;
  hostname: string | null;
  labels: Record<string, string>;
}

/**
 * Merges by time. A line in both is kept once; a line printed several times at the same instant is kept as often as in
 * the read that has it most often. Lines of equal time keep their order, `known` first; unreadable times come last.
 */
export function mergeLogs(known: LogEntry[], read: LogEntry[]): LogEntry[] {
  const knownLines = known.map(toLine);
  const spare = new Map<string, number>();
  for (const { identity } of knownLines) spare.set(identity, (spare.get(identity) ?? 0) + 1);
  const fresh = oldestFirst(read.map(toLine)).filter(({ identity }) => {
    const left = spare.get(identity) ?? 0;
    spare.set(identity, left - 1);
    return left <= 0;
  });
  return [...knownLines, ...fresh].sort(byTime).map(({ entry }) => entry);
}

export interface ShownLogEntry extends Omit<LogEntry, "timestamp"> {
  timestamp: string | null;
  /** Lyceum's text, only if it differs. */
  raw_timestamp?: string | undefined;
}

export function showEntry({ timestamp: raw, ...entry }: LogEntry): ShownLogEntry {
  const timestamp = isoTime(raw);
  return { timestamp, ...(raw === timestamp || raw === "" ? {} : { raw_timestamp: raw }), ...entry };
}

/** One line of text per entry: UTC time, level if any, message. */
export function formatLogs(entries: readonly (LogEntry | ShownLogEntry)[]): string {
  return entries.map((entry) => `${formatEntry(entry)}\n`).join("");
}

/**
 * Nanoseconds since the epoch; null if the text is no time. Accepts ISO 8601 (without a zone: UTC), and seconds,
 * milli-, micro- or nanoseconds since the epoch, perhaps with a fraction.
 */
export function epochNs(timestamp: string): bigint | null {
  const text = timestamp.trim();
  const [, whole, part = ""] = /^(\d{10}(?:\d{3}){0,3})(?:\.(\d{1,9}))?$/.exec(text) ?? [];
  if (whole !== undefined) return BigInt((whole + part).padEnd(19, "0").slice(0, 19));
  const [, date, time, fraction = "", hours = "+00", minutes = "00"] = iso.exec(text) ?? [];
  const epochMs = Date.parse(`${date}T${time}${hours}:${minutes}`);
  return Number.isNaN(epochMs)
    ? null
    : BigInt(epochMs) * 1_000_000n + BigInt(fraction.padEnd(9, "0").slice(0, 9));
}

const iso = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d+))?\s*(?:Z|UTC|([+-]\d\d):?(\d\d)?)?$/i;

export interface LogLine {
  entry: LogEntry;
  atNs: bigint | null;
  /** Equal for lines with equal fields, whatever the spelling of their time. */
  identity: string;
}

export function toLine(entry: LogEntry): LogLine {
  const { timestamp, message, level, hostname, labels } = entry;
  const atNs = epochNs(timestamp);
  const sortedLabels = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  const identity = JSON.stringify([atNs?.toString() ?? timestamp, message, level, hostname, sortedLabels]);
  return { entry, atNs, identity };
}

/** Loki's default is newest first, which reverses lines of the same instant, too. */
export function oldestFirst(lines: LogLine[]): LogLine[] {
  const [first, last] = [lines.at(0), lines.at(-1)];
  return first && last && byTime(first, last) > 0 ? lines.toReversed() : lines;
}

export function byTime(a: LogLine, b: LogLine): number {
  if (a.atNs === b.atNs) return 0;
  if (a.atNs === null) return 1;
  if (b.atNs === null) return -1;
  return a.atNs < b.atNs ? -1 : 1;
}

function formatEntry({ timestamp, level, message, ...entry }: LogEntry | ShownLogEntry): string {
  const raw = "raw_timestamp" in entry ? entry.raw_timestamp : timestamp;
  const time = (timestamp === null ? null : isoTime(timestamp)) ?? (raw || "-");
  return [time, ...(level ? [level.toUpperCase()] : []), message.replace(/\r?\n$/, "")].join(" ");
}

function isoTime(text: string): string | null {
  const atNs = epochNs(text);
  return atNs === null ? null : new Date(Number(atNs / 1_000_000n)).toISOString();
}
