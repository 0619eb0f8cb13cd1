// The latency of callbacks that arrive when they like: Poisson arrivals, counted from the moment of arrival.
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
  // Not more: Lyceum is silent, and whoever was called back waits to be asked about.
  const warmUp = bench.size(10_000, 300);
  const stage = await setStage(bench, `openloop-${rate}`, warmUp + most * bench.rounds);
  const ours = () => openLoop({ port: stage.ours.port, rate, seconds, next: stage.fresh(most) });
  const theirs = () => openLoop({ port: stage.bare.port, rate, seconds, next: stage.any() });
  try {
    // Until the compiler has done its work, which at these rates would take minutes.
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
