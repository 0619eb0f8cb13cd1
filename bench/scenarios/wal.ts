// The size of the write-ahead log under full load.
import { statSync } from "node:fs";
import { closedLoop } from "../load/loop.ts";
import { alone, type Scenario } from "../measure.ts";
import { addRuns, createDatabase, jobId } from "../rows.ts";
import { authorization } from "../service.ts";
import { setStage } from "./callbacks.ts";
import { submissionRequest } from "./submit.ts";

/** Numbers of the big jobs, far above those of the live ones. */
const PRUNED = 1_000_000;
const DELETED = 1_000_001;

export const wal: Scenario = {
  name: "wal",
  includes:
    "60 s of callbacks and submissions at once, 25 connections each, while retention prunes a job of 10,000 runs and a caller " +
    "deletes another one; the file's size, looked at ten times a second.",
  async run(bench) {
    const runs = bench.size(10_000, 100);
    const big = { count: runs, runsPerJob: runs, whole: true };
    const prepare = async (database: string) => {
      await createDatabase(database);
      await addRuns(database, "ended", { ...big, from: PRUNED * runs, agoMs: 31 * 86_400_000 });
      await addRuns(database, "ended", { ...big, from: DELETED * runs });
    };
    const stage = await setStage(bench, "wal", bench.size(300_000, 500), { prepare });
    const seconds = bench.size(60, 1);
    let largest = 0;
    const mebibytes = () => statSync(`${stage.database}-wal`).size / 1024 ** 2;
    const looking = setInterval(() => {
      largest = Math.max(largest, mebibytes());
    }, 100);
    const { port } = stage.ours;
    try {
      bench.progress(`${seconds} s of callbacks and submissions`);
      const callbacks = stage.fresh(Number.POSITIVE_INFINITY);
      await Promise.all([
        closedLoop({ port, connections: 25, seconds, next: callbacks }),
        closedLoop({ port, connections: 25, seconds, next: () => submissionRequest() }),
        fetch(`${stage.ours.url}/v1/jobs/${jobId(DELETED)}`, { method: "DELETE", headers: authorization }),
      ]);
      return [
        alone([mebibytes()], { name: "WAL after 60 s of full load", unit: "MiB", goal: { atMost: 16 } }),
        alone([largest], { name: "WAL at its largest", unit: "MiB", goal: { atMost: 16 } }),
      ];
    } finally {
      clearInterval(looking);
      await stage.stop();
    }
  },
};
