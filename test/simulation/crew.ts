// Threads that live one seed each at a time. What a seed tells does not depend on who lives it, or on the others.
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { type Story, simulate, type Wishes } from "./world.ts";

export interface Ended extends Pick<Story, "seed" | "weathers" | "hosts" | "failure" | "virtualMs"> {}

interface Crew {
  workers: number;
  seeds: { from: number; count: number };
  wishes: Wishes;
  /** No further seed is begun. */
  isOver(): boolean;
  onStory(story: Ended): void;
}

/** Resolves when all seeds are told. */
export async function tellAll({ workers, seeds, wishes, isOver, onStory }: Crew): Promise<void> {
  let next = seeds.from;
  const hasNext = () => next < seeds.from + seeds.count && !isOver();
  await Promise.all(Array.from({ length: Math.min(workers, seeds.count) }, work));

  function work(): Promise<void> {
    const worker = new Worker(new URL(import.meta.url), { workerData: wishes });
    return new Promise((resolve, reject) => {
      const go = () => worker.postMessage(hasNext() ? next++ : null);
      worker.on("message", (story: Ended) => {
        onStory(story);
        go();
      });
      worker.on("error", reject);
      worker.on("exit", () => resolve());
      go();
    });
  }
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort;
  port.on("message", async (seed: number | null) => {
    if (seed === null) return port.close();
    const { weathers, hosts, failure, virtualMs } = await simulate(seed, workerData as Wishes);
    port.postMessage({ seed, weathers, hosts, failure, virtualMs } satisfies Ended);
  });
}
