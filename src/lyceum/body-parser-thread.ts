// The thread of body-parser.ts.
import { parentPort } from "node:worker_threads";
import { readReply } from "./read-reply.ts";
import type { AnswerName } from "./schema.ts";

parentPort?.on("message", ({ bytes, name }: { bytes: Uint8Array; name: AnswerName | null }) => {
  parentPort?.postMessage(readReply(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), name));
});
