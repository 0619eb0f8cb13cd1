// A run's log as it grows.
import type { LogEntry } from "./artifacts.ts";
import { streamMessages } from "./stream.ts";
import type { Transport } from "./transport.ts";

export interface FollowOptions {
  /** Only this execution, counted from 1. Default: the last execution and all later ones. */
  attempt?: number | undefined;
  /** Called with words of the service about the log, such as why there are no lines yet. */
  onNote?: ((detail: string) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * The lines so far, then further lines as Lyceum shows them; ends with the run.
 * @throws ProctorError, or the signal's reason
 */
export async function* followLogs(
  transport: Transport,
  path: string,
  { attempt, onNote, signal }: FollowOptions = {},
): AsyncGenerator<LogEntry, void> {
  const query = { follow: "true", attempt };
  for await (const { type, data } of streamMessages(transport, { path, query, lastEventId: null, signal })) {
    if (type === "log") yield JSON.parse(data) as LogEntry;
    else if (type === "note") onNote?.((JSON.parse(data) as { detail: string }).detail);
  }
}
