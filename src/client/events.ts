// The event log as it grows. A stream that breaks off is taken up where it was, without gap or repeat.
import type { ProctorEvent } from "./answer.ts";
import { ProctorError } from "./error.ts";
import { pause } from "./pause.ts";
import { createSseReader, type SseReader } from "./sse.ts";
import type { Call, Transport } from "./transport.ts";

export interface EventOptions {
  /** `seq` of the last event that is known already. Without it: a job's from the first, all jobs' from now on. */
  lastEventId?: number | string | undefined;
  /** Such as `job.*` or `run.failed`. */
  types?: string[] | undefined;
  signal?: AbortSignal | undefined;
  /** Called when the stream is connected, and with each sign of life on it; the service gives one every 15 s. */
  onAlive?: (() => void) | undefined;
  /** Called when the connection is lost; it is taken up again unless an error is thrown. */
  onLost?: (() => void) | undefined;
}

/**
 * Events as they happen; ends when nothing more is to come, which for a single job is its end.
 * @throws ProctorError, or the signal's reason
 */
export async function* streamEvents(
  transport: Transport,
  path: string,
  { lastEventId, types, signal, onAlive, onLost }: EventOptions = {},
): AsyncGenerator<ProctorEvent, void> {
  let position = lastEventId === undefined ? null : String(lastEventId);
  let heardAt = performance.now();
  for (;;) {
    const before = position;
    const sse = createSseReader();
    let isWhole = false;
    // Ends the connection when the reader stops listening, too.
    const leaving = new AbortController();
    const either = signal === undefined ? leaving.signal : AbortSignal.any([signal, leaving.signal]);
    try {
      const headers = {
        Accept: "text/event-stream",
        ...(position === null ? {} : { "Last-Event-ID": position }),
      };
      const call: Call = { path, query: { types: types?.join(",") }, headers, signal: either };
      const response = await transport.request(call, async (answer) => answer);
      if (response.status === 204 || response.body === null) return;
      heardAt = performance.now();
      onAlive?.();
      for await (const message of messages(response.body, sse, onAlive)) {
        yield JSON.parse(message.data) as ProctorEvent;
        position = message.id;
      }
      isWhole = true;
    } catch (error) {
      signal?.throwIfAborted();
      onLost?.();
      const isRefusal = error instanceof ProctorError && !error.isTransient;
      if (isRefusal || performance.now() - heardAt > MAX_OUTAGE_MS) throw error;
    } finally {
      leaving.abort();
    }
    // The place may have been told without an event.
    position = sse.lastId || position;
    // A stream that said something and ended well is asked at once whether more is to come.
    if (!isWhole || position === before) await pause(sse.retryMs ?? 2_000, signal);
  }
}

/** The messages of one connection. One on which nothing moves for long is dead, whatever TCP says. */
async function* messages(
  body: ReadableStream<Uint8Array>,
  sse: SseReader,
  onAlive: (() => void) | undefined,
) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await within(SILENCE_MS, reader.read());
      if (done) return;
      onAlive?.();
      yield* sse.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    // Of a connection that broke off, the error is known already.
    reader.cancel().catch(() => undefined);
  }
}

function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("the stream is silent")), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Three of the service's heartbeats. */
const SILENCE_MS = 45_000;
const MAX_OUTAGE_MS = 5 * 60_000;
