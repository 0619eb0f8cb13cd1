// Throughput and latency of callbacks, compared with the same server that ignores them.
import { loadOn } from "../load/cost.ts";
import { type Bench, type Figure, interleave, ratioOf, type Scenario } from "../measure.ts";
import { setStage } from "./callbacks.ts";

export const callback: Scenario = {
  name: "callback",
  includes:
    "Each request is the first callback of another live execution: token checked, execution loaded, raw body, event, " +
    "counter and due check written, one commit with synchronous=FULL before the 204; log and metrics as shipped. " +
    "Lyceum does not answer meanwhile, so the checks that follow are not part of it. " +
    "The bare server is the same Hono with the same token check and an empty 204. Processor " +
    "time is that of the server's process, all threads, per answer.",
  async run(bench) {
    return [...(await underLoad(bench, 50)), ...(await underLoad(bench, 500))];
  },
};

const WARM_UPS = 2;

async function underLoad(bench: Bench, connections: number): Promise<Figure[]> {
  const most = bench.size(40_000, 300);
  const stage = await setStage(bench, `callback-${connections}`, most * (bench.rounds + WARM_UPS));
  const { seconds } = bench;
  const ours = () => loadOn(stage.ours, { connections, seconds, next: stage.fresh(most) });
  const theirs = () => loadOn(stage.bare, { connections, seconds, next: stage.any() });
  try {
    const arms = { ours, theirs };
    const rounds = await interleave(bench, `callback, ${connections} connections`, arms, WARM_UPS);
    const against = "bare server";
    const speed = { name: `callbacks, ${connections} connections`, unit: "req/s", against };
    const cost = { name: `processor time of a callback, ${connections} connections`, unit: "µs", against };
    const tail = { name: `callback p99, ${connections} connections`, unit: "ms", against };
    return [
      ratioOf(rounds, "perSecond", { ...speed, goal: { atLeast: 0.75 } }),
      ratioOf(rounds, "p99", { ...tail, goal: { atMost: 2 } }),
      ratioOf(rounds, "processorUs", { ...cost, goal: null }),
    ];
  } finally {
    await stage.stop();
  }
}
