// The cost of log and metrics with the defaults.
import { join } from "node:path";
import { loadOn } from "../load/cost.ts";
import { type Bench, interleave, ratioOf, type Scenario } from "../measure.ts";
import { startService } from "../service.ts";
import { setStage } from "./callbacks.ts";

export const telemetry: Scenario = {
  name: "telemetry",
  includes:
    "Callbacks over 50 connections against the service as shipped (log level info into a pipe that is read, " +
    "metrics) and against the same app with a silent log and metrics that count nothing, in many short slices, since " +
    "what is looked for is smaller than what the machine does within seconds. Beside the speed the processor time of " +
    "the service's process, all threads, per callback.",
  async run(bench) {
    const slices: Bench = {
      ...bench,
      rounds: bench.rounds * 6,
      seconds: Math.min(bench.seconds, 0.5),
    };
    const most = bench.size(8_000, 300);
    const live = most * (slices.rounds + WARM_UPS);
    const quiet = join(import.meta.dirname, "../servers/quiet.ts");
    const shipped = await setStage(bench, "telemetry-on", live);
    const silent = await setStage(bench, "telemetry-off", live, {
      start: (options) => startService({ ...options, main: quiet }),
    });
    const arm =
      ({ ours, fresh }: typeof shipped) =>
      () =>
        loadOn(ours, { connections: 50, seconds: slices.seconds, next: fresh(most) });
    const arms = { ours: arm(shipped), theirs: arm(silent) };
    try {
      const what = "callbacks with and without log and metrics";
      const rounds = await interleave(slices, what, arms, WARM_UPS);
      const against = "without";
      const speed = { name: "callbacks with log and metrics", unit: "req/s", against };
      const cost = { name: "processor time of a callback with them", unit: "µs", against };
      return [
        ratioOf(rounds, "perSecond", { ...speed, goal: { atLeast: 0.92 } }),
        ratioOf(rounds, "processorUs", { ...cost, goal: { atMost: 1.08 } }),
      ];
    } finally {
      await Promise.all([shipped.stop(), silent.stop()]);
    }
  },
};

/** Warm-up for the compiler. */
const WARM_UPS = 6;
