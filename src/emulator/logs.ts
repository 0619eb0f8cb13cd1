// `GET /logs/execution/{id}`: the output by lines. Order, duplicates and delay are undocumented, so switches set them.
import { draw } from "./chaos.ts";
import { hostOf } from "./curves.ts";
import type { Execution } from "./execution.ts";
import { userId, zuluTime } from "./records.ts";
import type { Switches } from "./switches.ts";

interface LogEntry {
  timestamp: string;
  message: string;
  level: string | null;
  execution_id: string | null;
  user_id: string | null;
  hostname: string | null;
  labels: Record<string, string>;
}

interface LogQuery {
  limit: number;
  hours: number;
  now: number;
  late: boolean;
  double: boolean;
}

/** The newest `limit` entries, in the order of the switch `log_order`. */
export function logsOf(
  execution: Execution,
  query: LogQuery,
  switches: Switches,
): { logs: LogEntry[]; total: number } {
  const since = query.now - query.hours * 3_600_000;
  const lines = linesOf(execution).filter(({ at }) => at >= since);
  const visible = lines.slice(0, visibleCount(execution, lines.length, query, switches));
  const repeated = query.double
    ? visible.flatMap((line, nth) => (nth % 3 === 0 ? [line, line] : [line]))
    : visible;
  const limit = switches.log_limit === "ignored" ? repeated.length : query.limit;
  const entries = repeated.slice(-limit).map((line) => entryOf(execution, line, switches));
  const logs = ordered(entries, switches.log_order);
  return { logs, total: switches.log_total === "matching" ? repeated.length : logs.length };
}

interface Line {
  at: number;
  stream: string;
  text: string;
}

/** A line in several chunks has the time of its first chunk. */
function linesOf({ output }: Execution): Line[] {
  const lines: Line[] = [];
  const open = new Map<string, Line>();
  for (const { at, stream, text } of output) {
    const [first = "", ...rest] = text.split("\n");
    let line = open.get(stream);
    if (line) line.text += first;
    else {
      line = { at, stream, text: first };
      lines.push(line);
    }
    for (const part of rest) {
      line = { at, stream, text: part };
      lines.push(line);
    }
    open.set(stream, line);
  }
  return lines.filter(({ text }) => text !== "");
}

function visibleCount({ endedAt }: Execution, count: number, query: LogQuery, switches: Switches): number {
  const { live_logs, log_lag, log_tail } = switches;
  if (live_logs === "withheld" && endedAt === undefined) return 0;
  const sinceEnd = endedAt === undefined ? 0 : query.now - endedAt;
  const isLagOver = endedAt !== undefined && sinceEnd >= log_lag;
  if (!query.late) return isLagOver ? count : Math.max(0, count - log_tail);
  if (!isLagOver) return 0;
  return sinceEnd < 2 * log_lag ? Math.ceil(count / 2) : count;
}

function entryOf(execution: Execution, { at, stream, text }: Line, { log_time }: Switches): LogEntry {
  return {
    timestamp: timestamps[log_time](at),
    message: text,
    level: null,
    execution_id: execution.id,
    user_id: userId,
    hostname: hostOf(execution.number),
    labels: { stream },
  };
}

const timestamps: Record<Switches["log_time"], (at: number) => string> = {
  zulu: zuluTime,
  bare: (at) => zuluTime(at).slice(0, -1),
  micro: (at) => `${zuluTime(at).slice(0, -1)}123Z`,
  nano: (at) => `${zuluTime(at).slice(0, -1)}123456Z`,
  loki: (at) => `${at}123456`,
};

function ordered(entries: LogEntry[], order: Switches["log_order"]): LogEntry[] {
  if (order === "newest") return entries.reverse();
  if (order === "oldest") return entries;
  return entries
    .map((entry, nth) => ({ entry, key: draw(0, "shuffle", nth) }))
    .sort((a, b) => a.key - b.key)
    .map(({ entry }) => entry);
}
