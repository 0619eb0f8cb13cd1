// The thread of aside.ts.
import { parentPort } from "node:worker_threads";
import { readSaid } from "./read-reply.ts";
import type { AnswerName } from "./schema.ts";

parentPort?.on("message", ({ bytes, name }: { bytes: Uint8Array; name: AnswerName | null }) => {
  parentPort?.postMessage(readSaid(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), name));
});
