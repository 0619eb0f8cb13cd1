// Server-Sent Events over as many connections as it takes. A stream that breaks off is taken up where it was.
import { ProctorError } from "./error.ts";
import { pause } from "./pause.ts";
import { createSseReader, type Message, type SseReader } from "./sse.ts";
import type { Call, Transport } from "./transport.ts";

export interface StreamCall {
  path: string;
  query?: Call["query"];
  /** Id of the last known message. */
  lastEventId: string | null;
  signal?: AbortSignal | undefined;
  /** Called when the stream is connected, and with each sign of life on it; the service gives one every 15 s. */
  onAlive?: (() => void) | undefined;
  /** Called when the connection is lost; it is taken up again unless an error is thrown. */
  onLost?: (() => void) | undefined;
}

/** Ends when the service says that nothing more will come. @throws ProctorError, or the signal's reason */
export async function* streamMessages(
  transport: Transport,
  { path, query, lastEventId, signal, onAlive, onLost }: StreamCall,
): AsyncGenerator<Message, void> {
  let position = lastEventId;
  let connectedAt = performance.now();
  for (;;) {
    const previous = position;
    const sse = createSseReader();
    let isComplete = false;
    // Also closes the connection when the reader leaves the loop.
    const disconnect = new AbortController();
    const anySignal = signal === undefined ? disconnect.signal : AbortSignal.any([signal, disconnect.signal]);
    try {
      const headers = {
        Accept: "text/event-stream",
        ...(position === null ? {} : { "Last-Event-ID": position }),
      };
      const call: Call = { path, ...(query && { query }), headers, signal: anySignal };
      const response = await transport.request(call, async (answer) => answer);
      if (response.status === 204 || response.body === null) return;
      connectedAt = performance.now();
      onAlive?.();
      for await (const message of messages(response.body, sse, onAlive)) {
        yield message;
        position = message.id;
      }
      isComplete = true;
    } catch (error) {
      signal?.throwIfAborted();
      onLost?.();
      const isRefusal = error instanceof ProctorError && !error.isTransient;
      if (isRefusal || performance.now() - connectedAt > MAX_OUTAGE_MS) throw error;
    } finally {
      disconnect.abort();
    }
    // A block without data may have moved the position.
    position = sse.lastId || position;
    // After a complete stream that made progress, reconnect at once.
    if (!isComplete || position === previous) await pause(sse.retryMs ?? 2_000, signal);
  }
}

/** A silent connection counts as broken. */
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
    // The error of a broken connection is already thrown.
    reader.cancel().catch(() => undefined);
  }
}

function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("the stream is silent")), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Three heartbeats of the service. */
const SILENCE_MS = 45_000;
const MAX_OUTAGE_MS = 5 * 60_000;
