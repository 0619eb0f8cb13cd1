// One chaos trial: three instances under disturbances, then the judge of crash trials and more.
import pg from "pg";
import { type Evidence, ourId } from "../crash/evidence.ts";
import { keys } from "../crash/settings.ts";
import type { StartLimit } from "../crash/starts.ts";
import { runTrial, type TrialResult } from "../crash/trial.ts";
import { disturbFleet, type Tally } from "./disturb.ts";
import { createFleet, type Fleet } from "./fleet.ts";
import { type MemoryWatch, watchMemory } from "./memory.ts";
import { type Delivered, startWitness, type Witness } from "./witness.ts";

export interface ChaosOptions {
  seed: number;
  instances: number;
  /** The disturbances take so long; the rest of the time belongs to the end. */
  disturbedSeconds: number;
  longestFreezeMs?: number;
  /** So many times the usual submissions. */
  pace?: number;
  limit: StartLimit | null;
  keep: boolean;
  onProgress(line: string): void;
}

const settledWithinSeconds = 60;

export async function runChaos(options: ChaosOptions): Promise<TrialResult> {
  const { seed, instances, disturbedSeconds, limit, keep } = options;
  let fleet: Fleet | null = null;
  let witness: Witness | null = null;
  let tally: Tally = {};
  let memory: ReturnType<MemoryWatch["stop"]> = { earlyMiB: 0, lateMiB: 0 };
  const result = await runTrial({
    seed,
    limit,
    keep,
    database: "postgres",
    seconds: Math.ceil(disturbedSeconds / 0.6) + 120,
    settleSeconds: settledWithinSeconds,
    ...(options.pace === undefined ? {} : { pace: options.pace }),
    env: { WEBHOOK_ALLOW_PRIVATE: "127.0.0.0/8", SUBMIT_CONCURRENCY: "8" },
    onProgress: ({ jobsAcknowledged, executionsEnded }) =>
      options.onProgress(`${jobsAcknowledged} jobs, ${executionsEnded} executions ended`),
    async launch(given) {
      fleet = await createFleet(instances, given);
      return fleet;
    },
    async disturb(scene) {
      const running = fleet as unknown as Fleet;
      witness = await startWitness(running.url, keys.admin);
      const watch = watchMemory(running);
      tally = await disturbFleet(scene, running, {
        seconds: disturbedSeconds,
        ...(options.longestFreezeMs === undefined ? {} : { longestFreezeMs: options.longestFreezeMs }),
      });
      memory = watch.stop();
      return Object.entries(tally)
        .map(([name, count]) => `${count} × ${name}`)
        .join(", ");
    },
    async inspect(evidence, { url }) {
      const seen = witness as unknown as Witness;
      await caughtUp(seen, evidence.events.length);
      const crashes = Object.values(tally).reduce((sum, count) => sum + count, 0);
      const { events } = evidence;
      const found = seen.judge({ events, deliveries: await readDeliveries(url) }, crashes);
      await seen.close();
      return [...found, ...parallelKept(evidence), ...memoryFlat(memory)];
    },
  });
  const { earlyMiB, lateMiB } = memory;
  const growth = `largest instance ${earlyMiB.toFixed(0)} MiB at first, ${lateMiB.toFixed(0)} MiB at last`;
  return { ...result, report: `${result.report}; ${growth}` };
}

/** A heap grows to its usual size at first; a leak goes on. */
function memoryFlat({ earlyMiB, lateMiB }: ReturnType<MemoryWatch["stop"]>): string[] {
  if (lateMiB <= 1.5 * earlyMiB + 50) return [];
  return [`the largest instance grew from ${earlyMiB.toFixed(0)} to ${lateMiB.toFixed(0)} MiB`];
}

/** The reader may be reconnecting just now. */
async function caughtUp(witness: Witness, count: number): Promise<void> {
  for (let tries = 0; tries < 100 && witness.seen() < count; tries++)
    await new Promise((resolve) => setTimeout(resolve, 200));
}

async function readDeliveries(url: string): Promise<Delivered[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Delivered>("select id, event_id, attempts, state from deliveries")).rows;
  } finally {
    await client.end();
  }
}

/** By Lyceum's own times no job has more executions alive than it may. */
function parallelKept({ jobs, runs, lyceum }: Evidence): string[] {
  const jobOf = new Map(runs.flatMap((run) => run.executions.map(({ id }) => [id, run.job_id] as const)));
  const ofJob = Map.groupBy(lyceum, (execution) => jobOf.get(ourId(execution)) ?? "");
  return jobs.flatMap((job) => {
    const most = (job as unknown as { max_parallel: number | null }).max_parallel;
    if (most === null) return [];
    const lives = ofJob.get(job.id) ?? [];
    const crowded = lives.find(({ acceptedAt }) => {
      const alive = lives.filter(
        (one) => one.acceptedAt <= acceptedAt && (one.endedAt ?? Number.POSITIVE_INFINITY) > acceptedAt,
      );
      return alive.length > most;
    });
    return crowded === undefined ? [] : [`job ${job.id} had more than ${most} executions at once`];
  });
}
