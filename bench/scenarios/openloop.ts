// Latency of callbacks with Poisson arrivals, counted from the arrival.
import { closedLoop, openLoop } from "../load/loop.ts";
import { type Bench, type Figure, interleave, ratioOf, type Scenario } from "../measure.ts";
import { setStage } from "./callbacks.ts";

export const openloop: Scenario = {
  name: "openloop",
  includes:
    "As `callback`, but requests arrive by a Poisson process whatever the server does, and their latency counts from " +
    "their arrival: waiting for a free connection is part of it.",
  async run(bench) {
    return [...(await atRate(bench, 2_000, 2)), ...(await atRate(bench, 5_000, 2.5))];
  },
};

async function atRate(bench: Bench, rate: number, atMost: number): Promise<Figure[]> {
  const { seconds } = bench;
  const most = Math.ceil(rate * seconds * 1.2) + 100;
  // Bounded, because Lyceum is silent and called-back executions wait for their check.
  const warmUp = bench.size(10_000, 300);
  const stage = await setStage(bench, `openloop-${rate}`, warmUp + most * bench.rounds);
  const ours = () => openLoop({ port: stage.ours.port, rate, seconds, next: stage.fresh(most) });
  const theirs = () => openLoop({ port: stage.bare.port, rate, seconds, next: stage.any() });
  try {
    // Warm-up: at the measured rates the compiler would need minutes.
    bench.progress(`callbacks at ${rate}/s, warming up`);
    const hurry = { connections: 50, seconds: 2 * seconds };
    await closedLoop({ port: stage.ours.port, ...hurry, next: stage.fresh(warmUp) });
    await closedLoop({ port: stage.bare.port, ...hurry, next: stage.any() });
    const rounds = await interleave(bench, `callbacks at ${rate}/s`, { ours, theirs });
    const against = "bare server";
    return [
      ratioOf(rounds, "p99", { name: `callback p99 at ${rate}/s`, unit: "ms", against, goal: { atMost } }),
      ratioOf(rounds, "p50", { name: `callback median at ${rate}/s`, unit: "ms", against, goal: null }),
    ];
  } finally {
    await stage.stop();
  }
}
