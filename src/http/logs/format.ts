// The three forms of a log: JSON lines, text, and Server-Sent Events.
import { formatLogs, type LogEntry, showEntry } from "../../domain/logs.ts";
import { acceptsExplicitly } from "../headers.ts";
import type { RequestContext } from "../request-context.ts";

export interface LogFormat {
  contentType: string;
  /** @param place attempt and number of the line before */
  lines(entries: readonly LogEntry[], place: Place): string;
  /** A word about the log. Empty in JSON lines, where each line is an entry. */
  note(detail: string): string;
  heartbeat: string;
  head: string;
  end: string;
}

export interface Place {
  attempt: number;
  position: number;
}

/** Some clients list text beside JSON without being asked to, so JSON comes first. */
export function formatOf(c: RequestContext, { isStream }: { isStream: boolean }): LogFormat {
  if (acceptsExplicitly(c, "application/json", "application/x-ndjson")) return jsonLines;
  if (isStream && acceptsExplicitly(c, "text/event-stream")) return serverSentEvents;
  return acceptsExplicitly(c, "text/plain") ? text : jsonLines;
}

const jsonLines: LogFormat = {
  contentType: "application/x-ndjson",
  lines: (entries) => entries.map((entry) => `${JSON.stringify(showEntry(entry))}\n`).join(""),
  note: () => "",
  heartbeat: "\n",
  head: "",
  end: "",
};

const text: LogFormat = {
  contentType: "text/plain; charset=utf-8",
  lines: formatLogs,
  note: (detail) => `# ${detail}\n`,
  heartbeat: "\n",
  head: "",
  end: "",
};

const RETRY_MS = 2_000;
/** The id after the last line: a reader that comes back with it has everything. */
export const END_ID = "end";

const serverSentEvents: LogFormat = {
  contentType: "text/event-stream; charset=utf-8",
  lines: (entries, { attempt, position }) =>
    entries
      .map((entry, index) => {
        const data = JSON.stringify(showEntry(entry));
        return `id: ${attempt}.${position + index + 1}\nevent: log\ndata: ${data}\n\n`;
      })
      .join(""),
  note: (detail) => `event: note\ndata: ${JSON.stringify({ detail })}\n\n`,
  heartbeat: ": heartbeat\n\n",
  head: `retry: ${RETRY_MS}\n\n`,
  end: `id: ${END_ID}\n\n`,
};
