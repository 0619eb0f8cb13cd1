// What the log and the metrics cost, as shipped.
import { join } from "node:path";
import { closedLoop } from "../load/loop.ts";
import { interleave, ratioOf, type Scenario } from "../measure.ts";
import { startService } from "../service.ts";
import { setStage } from "./callbacks.ts";

export const telemetry: Scenario = {
  name: "telemetry",
  includes:
    "Callbacks over 50 connections against the service as shipped (log level info into a pipe that is read, " +
    "metrics) and against the same app with a silent log and metrics that count nothing.",
  async run(bench) {
    const most = bench.size(40_000, 300);
    const quiet = join(import.meta.dirname, "../servers/quiet.ts");
    const shipped = await setStage(bench, "telemetry-on", most * (bench.rounds + 1));
    const silent = await setStage(bench, "telemetry-off", most * (bench.rounds + 1), (options) =>
      startService({ ...options, main: quiet }),
    );
    const arm = (stage: typeof shipped) => () =>
      closedLoop({ port: stage.ours.port, connections: 50, seconds: bench.seconds, next: stage.fresh(most) });
    const arms = { ours: arm(shipped), theirs: arm(silent) };
    try {
      await arms.ours();
      await arms.theirs();
      const rounds = await interleave(bench, "callbacks with and without log and metrics", arms);
      const figure = { name: "callbacks with log and metrics", unit: "req/s", against: "without" };
      return [ratioOf(rounds, "perSecond", { ...figure, goal: { atLeast: 0.92 } })];
    } finally {
      await Promise.all([shipped.stop(), silent.stop()]);
    }
  },
};
