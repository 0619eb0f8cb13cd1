// Asks `/livez` over HTTP again and again from a thread of its own, so that a service that is busy with itself is seen.
import { Worker } from "node:worker_threads";

export interface Probe {
  /**
   * Stops. Answers how many times the service was asked, and the longest that it took to answer, in milliseconds of
   * this process's work: a machine that is busy with something else does not count.
   */
  stop(): Promise<{ asked: number; longestMs: number }>;
}

const PERIOD_MS = 20;

/** In a worker: a connection of its own for each question, as a kept one could be closed while it is asked over. */
const asking = `
  const { get } = require("node:http");
  const { parentPort, workerData } = require("node:worker_threads");
  const ask = () =>
    new Promise((resolve, reject) => {
      const request = get(workerData.url, { agent: false }, (answer) => {
        answer.resume();
        answer.once("close", () => resolve(answer.statusCode));
      });
      request.once("error", reject);
    });
  let stopped = false;
  parentPort.once("message", () => { stopped = true; });
  (async () => {
    let asked = 0;
    let longestMs = 0;
    while (!stopped) {
      const before = process.cpuUsage();
      const status = await ask();
      if (status !== 200) throw new Error("livez answered " + status);
      const { user, system } = process.cpuUsage(before);
      longestMs = Math.max(longestMs, (user + system) / 1000);
      asked++;
      await new Promise((resolve) => setTimeout(resolve, ${PERIOD_MS}));
    }
    parentPort.postMessage({ asked, longestMs });
  })();
`;

export function startProbe(serviceUrl: string): Probe {
  const worker = new Worker(asking, { eval: true, workerData: { url: `${serviceUrl}/livez` } });
  const { promise, resolve, reject } = Promise.withResolvers<{ asked: number; longestMs: number }>();
  worker.once("error", reject);
  worker.once("message", resolve);
  // `stop` throws the rejection. Until then the rejection must not count as unhandled.
  promise.catch(() => {});
  return {
    async stop() {
      worker.postMessage("stop");
      const seen = await promise;
      await worker.terminate();
      return seen;
    },
  };
}
