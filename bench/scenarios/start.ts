// From the start of the process to its first answer, with a long history and an empty database.
import { join } from "node:path";
import { interleave, ratioOf, type Sample, type Scenario } from "../measure.ts";
import { addRuns, createDatabase } from "../rows.ts";
import { startService, startSilentLyceum } from "../service.ts";

export const start: Scenario = {
  name: "start",
  includes:
    "From spawning the process to the first 200 of /livez, which is served once migrations are looked at and what was " +
    "under way is recovered: loading the sources is part of it. 1,000,000 ended runs with their executions.",
  async run(bench) {
    const lyceum = await startSilentLyceum();
    const full = join(bench.directory, "start-full.db");
    const empty = join(bench.directory, "start-empty.db");
    const ended = bench.size(1_000_000, 1_000);
    bench.progress(`start: ${ended} ended runs`);
    await createDatabase(full);
    addRuns(full, "ended", { from: 0, count: ended });
    await createDatabase(empty);
    const arm = (database: string) => async (): Promise<Sample> => {
      const startedAt = performance.now();
      const service = await startService({ database, lyceumUrl: lyceum.url });
      const ms = performance.now() - startedAt;
      await service.stop();
      return { ms };
    };
    try {
      const arms = { ours: arm(full), theirs: arm(empty) };
      await arms.ours();
      const rounds = await interleave(bench, "start of the process", arms);
      const figure = { name: "start with 1,000,000 runs", unit: "ms", against: "empty database" };
      return [ratioOf(rounds, "ms", { ...figure, goal: { atMost: 1.5 } })];
    } finally {
      lyceum.stop();
    }
  },
};
