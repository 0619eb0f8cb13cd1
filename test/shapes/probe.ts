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

const asking = `
  const { parentPort, workerData } = require("node:worker_threads");
  let stopped = false;
  parentPort.once("message", () => { stopped = true; });
  (async () => {
    let asked = 0;
    let longestMs = 0;
    while (!stopped) {
      const before = process.cpuUsage();
      const answer = await fetch(workerData.url);
      await answer.arrayBuffer();
      if (answer.status !== 200) throw new Error("livez answered " + answer.status);
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
  return {
    async stop() {
      worker.postMessage("stop");
      const seen = await promise;
      await worker.terminate();
      return seen;
    },
  };
}
