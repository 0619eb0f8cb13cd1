// Parses bodies: small bodies on the event loop, large bodies one at a time in a thread that is kept.
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import PQueue from "p-queue";
import { type ParsedReply, readReply, unreadReply } from "./read-reply.ts";
import type { AnswerName } from "./schema.ts";

/** Takes ownership of the bytes. */
export type ReadBody = (bytes: Buffer<ArrayBuffer>, name: AnswerName | null) => Promise<ParsedReply>;

/** Parsing this many bytes holds the event loop for a few milliseconds. */
export const MAX_ON_LOOP = 512 * 1024;
/** Enough for the largest body with the most values. A worse body ends the thread, not the process. */
const MAX_HEAP_MB = 256;
const THREAD = new URL(
  import.meta.url.endsWith(".ts") ? "./body-parser-thread.ts" : "./body-parser-thread.js",
  import.meta.url,
);

export function createReader(maxHeapMb = MAX_HEAP_MB): ReadBody {
  const large = new PQueue({ concurrency: 1 });
  let thread: Worker | null = null;

  async function parseInThread(bytes: Buffer<ArrayBuffer>, name: AnswerName | null): Promise<ParsedReply> {
    thread ??= new Worker(THREAD, { resourceLimits: { maxOldGenerationSizeMb: maxHeapMb } });
    const current = thread;
    current.ref();
    const reply = once(current, "message");
    current.postMessage({ bytes, name }, [bytes.buffer]);
    try {
      return (await reply)[0];
    } catch (error) {
      thread = null;
      if ((error as NodeJS.ErrnoException).code !== "ERR_WORKER_OUT_OF_MEMORY") throw error;
      return { ...unreadReply("too large to be parsed"), isJson: true, isTooLarge: true };
    } finally {
      // An idle thread keeps no process alive.
      current.unref();
    }
  }

  return async (bytes, name) =>
    bytes.length <= MAX_ON_LOOP ? readReply(bytes, name) : large.add(() => parseInThread(bytes, name));
}

export const readBody = createReader();
