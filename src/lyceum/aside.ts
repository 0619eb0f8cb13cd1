// Reads large bodies beside the event loop, one at a time, in a thread that lives on for the next one.
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import PQueue from "p-queue";
import { readSaid, type Said, unsaid } from "./said.ts";
import type { AnswerName } from "./schema.ts";

/** Reading so much takes a few milliseconds. */
const MAX_ON_LOOP = 512 * 1024;
/** Enough for the largest body with the most values; a worse one ends the thread, not the process. */
const LIMITS = { maxOldGenerationSizeMb: 256 };
const MODULE = new URL(import.meta.url.endsWith(".ts") ? "./thread.ts" : "./thread.js", import.meta.url);

const large = new PQueue({ concurrency: 1 });
let thread: Worker | null = null;

/** Takes over the bytes. */
export async function readBody(bytes: Buffer<ArrayBuffer>, name: AnswerName | null): Promise<Said> {
  if (bytes.length <= MAX_ON_LOOP) return readSaid(bytes, name);
  return large.add(() => readAside(bytes, name));
}

async function readAside(bytes: Buffer<ArrayBuffer>, name: AnswerName | null): Promise<Said> {
  thread ??= new Worker(MODULE, { resourceLimits: LIMITS });
  const current = thread;
  current.ref();
  const said = once(current, "message");
  current.postMessage({ bytes, name }, [bytes.buffer]);
  try {
    const [message] = await said;
    return message;
  } catch (error) {
    thread = null;
    if ((error as NodeJS.ErrnoException).code !== "ERR_WORKER_OUT_OF_MEMORY") throw error;
    return { ...unsaid("too much to be read"), isJson: true, isTooLarge: true };
  } finally {
    current.unref();
  }
}
