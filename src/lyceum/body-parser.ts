// Reads bodies: small ones on the event loop, large ones beside it, one at a time, in a thread that lives on.
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import PQueue from "p-queue";
import { readSaid, type Said, unsaid } from "./read-reply.ts";
import type { AnswerName } from "./schema.ts";

/** Takes over the bytes. */
export type ReadBody = (bytes: Buffer<ArrayBuffer>, name: AnswerName | null) => Promise<Said>;

/** Reading so much on the event loop takes a few milliseconds. */
export const MAX_ON_LOOP = 512 * 1024;
/** Enough for the largest body with the most values; a worse one ends the thread, not the process. */
const MAX_HEAP_MB = 256;
const THREAD = new URL(
  import.meta.url.endsWith(".ts") ? "./body-parser-thread.ts" : "./body-parser-thread.js",
  import.meta.url,
);

export function createReader(maxHeapMb = MAX_HEAP_MB): ReadBody {
  const large = new PQueue({ concurrency: 1 });
  let thread: Worker | null = null;

  async function readAside(bytes: Buffer<ArrayBuffer>, name: AnswerName | null): Promise<Said> {
    thread ??= new Worker(THREAD, { resourceLimits: { maxOldGenerationSizeMb: maxHeapMb } });
    const current = thread;
    current.ref();
    const said = once(current, "message");
    current.postMessage({ bytes, name }, [bytes.buffer]);
    try {
      return (await said)[0];
    } catch (error) {
      thread = null;
      if ((error as NodeJS.ErrnoException).code !== "ERR_WORKER_OUT_OF_MEMORY") throw error;
      return { ...unsaid("too much to be read"), isJson: true, isTooLarge: true };
    } finally {
      // Idle, it keeps no process alive.
      current.unref();
    }
  }

  return async (bytes, name) =>
    bytes.length <= MAX_ON_LOOP ? readSaid(bytes, name) : large.add(() => readAside(bytes, name));
}

export const readBody = createReader();
