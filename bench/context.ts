// The store and the use cases of the service in the bench's own process, without HTTP.
import { systemClock } from "../src/lib/clock.ts";
import { idSource } from "../src/lib/id.ts";
import type { Context } from "../src/orchestration/context.ts";
import { submit } from "../src/orchestration/submit-job.ts";
import { openStore, type Store } from "../src/store/store.ts";
import { contextOf, submission } from "../test/support/scene.ts";

export function openBenchStore(path: string): Store {
  return openStore({ kind: "sqlite", path }, systemClock, idSource(systemClock));
}

export async function openContext(path: string): Promise<Context> {
  const store = openBenchStore(path);
  await store.migrate();
  return { ...contextOf({ store, newId: idSource(systemClock) }), random: Math.random };
}

/** Submits jobs of so many runs, each with an idempotency key of its own, and returns the job's id. */
export function submitter(context: Context): (jobs: object[]) => Promise<string> {
  return async (jobs) => {
    const sender = { apiKey: "bench", idempotencyKey: crypto.randomUUID(), body: JSON.stringify(jobs) };
    const result = await submit(
      context,
      sender,
      submission(jobs.length, { retry: { maxAttempts: 3, on: [] } }),
    );
    if (result.outcome !== "created") throw new Error(`the submission is a ${result.outcome}`);
    return result.job.id;
  };
}
