// The size of the write-ahead log under full load.
import { statSync } from "node:fs";
import { closedLoop } from "../load/loop.ts";
import { alone, type Scenario } from "../measure.ts";
import { setStage } from "./callbacks.ts";
import { submissionRequest } from "./submit.ts";

export const wal: Scenario = {
  name: "wal",
  includes:
    "60 s of callbacks and submissions at once, 25 connections each; the file's size, looked at ten times a second.",
  async run(bench) {
    const stage = await setStage(bench, "wal", bench.size(300_000, 500));
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
      ]);
      return [
        alone([mebibytes()], { name: "WAL after 60 s of full load", unit: "MiB", goal: { atMost: 16 } }),
        alone([largest], { name: "WAL at its largest", unit: "MiB", goal: null }),
      ];
    } finally {
      clearInterval(looking);
      await stage.stop();
    }
  },
};
