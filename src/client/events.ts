// Follows the event log. A broken stream is resumed without gap or repetition.
import type { ProctorEvent } from "./answer.ts";
import { streamMessages } from "./stream.ts";
import type { Transport } from "./transport.ts";

export interface EventOptions {
  /** `seq` of the last known event. Default: a job's first event, or new events of all jobs. */
  lastEventId?: number | string | undefined;
  /** Such as `job.*` or `run.failed`. */
  types?: string[] | undefined;
  signal?: AbortSignal | undefined;
  /** Called when the stream is connected, and with each sign of life on it; the service gives one every 15 s. */
  onAlive?: (() => void) | undefined;
  /** Called when the connection is lost; it is taken up again unless an error is thrown. */
  onLost?: (() => void) | undefined;
}

/** The stream of a single job ends with the job. @throws ProctorError, or the signal's reason */
export async function* streamEvents(
  transport: Transport,
  path: string,
  { lastEventId, types, signal, onAlive, onLost }: EventOptions = {},
): AsyncGenerator<ProctorEvent, void> {
  const begin = lastEventId === undefined ? null : String(lastEventId);
  const query = { types: types?.join(",") };
  const messages = streamMessages(transport, { path, query, lastEventId: begin, signal, onAlive, onLost });
  for await (const { data } of messages) yield JSON.parse(data) as ProctorEvent;
}
