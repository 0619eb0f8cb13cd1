// The longest time in which a server answered nothing, as another connection sees it.
import { openConnection, requestBytes } from "./connection.ts";

/** Asks /livez again and again until the work is done. Milliseconds. */
export async function longestSilence(port: number, work: () => Promise<unknown>): Promise<number> {
  const over = Promise.withResolvers<void>();
  let isDone = false;
  let sentAt = 0;
  let longestMs = 0;
  const connection = await openConnection(port, answered, over.reject);
  function ask(): void {
    sentAt = performance.now();
    connection.send(livez);
  }
  function answered(_status: number, at: number): void {
    longestMs = Math.max(longestMs, at - sentAt);
    if (isDone) over.resolve();
    else setTimeout(ask, BETWEEN_MS);
  }
  ask();
  try {
    await Promise.race([work(), over.promise]);
    isDone = true;
    await over.promise;
  } finally {
    connection.close();
  }
  return longestMs;
}

const livez = requestBytes("GET", "/livez");
const BETWEEN_MS = 1;
