// One soak: a trial of the crash proof in which nothing is killed, three callbacks in ten are lost, and the memory of the
// process is watched.
import { runTrial, type TrialResult } from "../crash/trial.ts";
import { growthOf, mebibytes, sampleMemory } from "./memory.ts";

export interface SoakOptions {
  seed: number;
  database: "sqlite" | "postgres";
  /** The duration of the load; runs under way then have as long again to end. */
  seconds: number;
  onSample(line: string): void;
}

export async function soak({ seed, database, seconds, onSample }: SoakOptions): Promise<TrialResult> {
  let progress = "";
  return runTrial({
    seed,
    limit: null,
    // Far more runs start than Lyceum's limit permits, so that far more of them have to be searched for.
    faults: {
      callback: { lost: 0.3, double: 0.15, eager: 0.08, early: 0.1, late: 0.15 },
      billing_limit: { calls: 100_000, window: "10m" },
    },
    database,
    seconds: 2 * seconds + 60,
    keep: false,
    onProgress: ({ jobsAcknowledged, executionsEnded }) => {
      progress = `${jobsAcknowledged} jobs acknowledged, ${executionsEnded} executions ended`;
    },
    async disturb({ service, complain }) {
      const startedAt = performance.now();
      const passed = () => (performance.now() - startedAt) / 1_000;
      const shown = setInterval(() => onSample(`${passed().toFixed(0)} s, ${progress}`), 10_000);
      const everyMs = Math.max(100, seconds * 2);
      const samples = await sampleMemory(service.pid, everyMs, () => passed() >= seconds).finally(() =>
        clearInterval(shown),
      );
      const { before, after, isFlat } = growthOf(samples);
      const [first = 0, last = 0] = [samples[0], samples.at(-1)];
      const memory = `memory ${mebibytes(first)} at first, ${mebibytes(before)}, then ${mebibytes(after)}, ${mebibytes(last)} at last`;
      if (!isFlat) complain(`the process grows: ${memory}`);
      return `${seconds} s of load, ${memory}`;
    },
  });
}
