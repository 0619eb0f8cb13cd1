// `GET /logs/execution/{id}`: the output line by line. Order, duplicates and lateness are undocumented: switches.
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

/** The newest `limit` entries of those visible, in the order of the switch `log_order`. */
export function logsOf(
  execution: Execution,
  query: LogQuery,
  switches: Switches,
): { logs: LogEntry[]; total: number } {
  const since = query.now - query.hours * 3_600_000;
  const lines = linesOf(execution).filter(({ at }) => at >= since);
  const visible = query.late
    ? lines.slice(0, visibleCount(execution, lines.length, query.now, switches))
    : lines;
  const repeated = query.double
    ? visible.flatMap((line, nth) => (nth % 3 === 0 ? [line, line] : [line]))
    : visible;
  const entries = repeated.slice(-query.limit).map((line) => entryOf(execution, line));
  const logs = ordered(entries, switches.log_order);
  return { logs, total: switches.log_total === "matching" ? repeated.length : logs.length };
}

interface Line {
  at: number;
  stream: string;
  text: string;
}

/** A line that came in several chunks belongs to the moment of its first one. */
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

function visibleCount({ endedAt }: Execution, count: number, now: number, { log_lag }: Switches): number {
  if (endedAt === undefined || now < endedAt + log_lag) return 0;
  return now < endedAt + 2 * log_lag ? Math.ceil(count / 2) : count;
}

function entryOf(execution: Execution, { at, stream, text }: Line): LogEntry {
  return {
    timestamp: zuluTime(at),
    message: text,
    level: null,
    execution_id: execution.id,
    user_id: userId,
    hostname: hostOf(execution.number),
    labels: { stream },
  };
}

function ordered(entries: LogEntry[], order: Switches["log_order"]): LogEntry[] {
  if (order === "newest") return entries.reverse();
  if (order === "oldest") return entries;
  return entries
    .map((entry, nth) => ({ entry, key: draw(0, "shuffle", nth) }))
    .sort((a, b) => a.key - b.key)
    .map(({ entry }) => entry);
}
