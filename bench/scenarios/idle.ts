// The cost of live executions that do not change.
import { join } from "node:path";
import { alone, type Bench, type Scenario } from "../measure.ts";
import {
  authorization,
  post,
  processorSeconds,
  type Running,
  startServer,
  startService,
} from "../service.ts";

export const idle: Scenario = {
  name: "idle",
  includes:
    "Processor time of the service's process, all threads, as a share of one core over 30 s, with 10,000 executions " +
    "alive at the emulator against 100: all were started by the service, 10 s before at least, and none ends meanwhile. " +
    "Polling, the gauge and the metrics of the process are part of it.",
  async run(bench) {
    const many = await shareOfCore(bench, bench.size(10_000, 200));
    const few = await shareOfCore(bench, 100);
    return [
      alone([many], { name: "core used by 10,000 live executions", unit: "%", goal: { atMost: 2 } }),
      alone([many / few], { name: "against 100 live executions", unit: "", goal: { atMost: 2 } }),
    ];
  },
};

async function shareOfCore(bench: Bench, live: number): Promise<number> {
  const lyceum = await startServer("emulator", {}, "/__emulator");
  await post(`${lyceum.url}/__emulator/chaos`, { delay: 3_600_000 });
  const lyceumUrl = `${lyceum.url}/api/v2/external`;
  const database = join(bench.directory, `idle-${live}.db`);
  const ours = await startService({ database, lyceumUrl, env: { SUBMIT_CONCURRENCY: "50" } });
  try {
    const run = { kind: "image", docker_image_ref: "python:3.13", docker_run_cmd: ["true"], timeout: 600 };
    const job = await post(`${ours.url}/v1/jobs`, { runs: Array.from({ length: live }, () => run) });
    for (let active = 0; active < live; active = await activeRuns(ours, String(job.id))) {
      bench.progress(`${active} of ${live} executions alive`);
      await pause(1_000);
    }
    await pause(bench.size(10_000, 100));
    const seconds = bench.size(30, 1);
    const before = processorSeconds(ours.pid);
    bench.progress(`${seconds} s of idling with ${live} live executions`);
    await pause(seconds * 1000);
    return ((processorSeconds(ours.pid) - before) / seconds) * 100;
  } finally {
    await Promise.all([ours.stop(), lyceum.stop()]);
  }
}

async function activeRuns({ url }: Running, job: string): Promise<number> {
  const answer = await fetch(`${url}/v1/jobs/${job}`, { headers: authorization });
  return ((await answer.json()) as { counts: { active: number } }).counts.active;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
