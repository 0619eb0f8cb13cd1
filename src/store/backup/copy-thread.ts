// The thread of back-up.ts: verifying a copy reads all of it in one call.
import { parentPort, workerData } from "node:worker_threads";
import { copyDatabase } from "./copy.ts";

const { source, target } = workerData as { source: string; target: string };
parentPort?.postMessage(await copyDatabase(source, target));
