// From the start of the process to its first answer, with a long history and an empty database.
import { join } from "node:path";
import { interleave, ratioOf, type Sample, type Scenario } from "../measure.ts";
import { addRuns, createDatabase } from "../rows.ts";
import { processorSeconds, startService, startSilentLyceum } from "../service.ts";

export const start: Scenario = {
  name: "start",
  includes:
    "From spawning the process to the first 200 of /livez, which is served once migrations are looked at and what was " +
    "under way is recovered: loading the sources is part of it. 1,000,000 ended runs with their executions. Processor time " +
    "is that of the process until then, all threads, on an empty database: with a filled compile cache, as the image and " +
    "the systemd unit have it, against a start that compiles everything.",
  async run(bench) {
    const lyceum = await startSilentLyceum();
    const full = join(bench.directory, "start-full.db");
    const empty = join(bench.directory, "start-empty.db");
    const ended = bench.size(1_000_000, 1_000);
    bench.progress(`start: ${ended} ended runs`);
    await createDatabase(full);
    await addRuns(full, "ended", { from: 0, count: ended });
    await createDatabase(empty);
    const arm =
      (database: string, env: Record<string, string> = {}) =>
      async (): Promise<Sample> => {
        const startedAt = performance.now();
        const service = await startService({ database, lyceumUrl: lyceum.url, env });
        const ms = performance.now() - startedAt;
        const processorMs = processorSeconds(service.pid) * 1000;
        await service.stop();
        return { ms, processorMs };
      };
    try {
      const arms = { ours: arm(full), theirs: arm(empty) };
      await arms.ours();
      const rounds = await interleave(bench, "start of the process", arms);
      const figure = { name: "start with 1,000,000 runs", unit: "ms", against: "empty database" };
      const cached = arm(empty, { NODE_COMPILE_CACHE: join(bench.directory, "compile-cache") });
      await cached();
      const cold = await interleave(bench, "cold start", { ours: cached, theirs: arms.theirs });
      const cost = { name: "processor time of a cold start", unit: "ms", against: "without compile cache" };
      return [
        ratioOf(rounds, "ms", { ...figure, goal: { atMost: 1.5 } }),
        ratioOf(cold, "processorMs", { ...cost, goal: { atMost: 0.55 } }),
      ];
    } finally {
      lyceum.stop();
    }
  },
};
