// The ways to enqueue jobs, and the comparison with other queues in each of them.
import { type Bench, type Figure, interleave, ratioOf, type Sample } from "../measure.ts";
import { isDurable, type PeerName } from "../peers/registry.ts";

interface Way {
  way: string;
  atOnce: number;
  /** Jobs per call. */
  batch: number;
}

const ways: Way[] = [
  { way: "one at a time", atOnce: 1, batch: 1 },
  { way: "50 at once", atOnce: 50, batch: 1 },
  { way: "batches of 100", atOnce: 1, batch: 100 },
  { way: "batches of 1,000", atOnce: 1, batch: 1_000 },
];

/** Enqueues jobs for a moment. Each caller finishes at least one batch. */
export type Arm = (load: {
  atOnce: number;
  batch: number;
  seconds: number;
}) => Promise<{ perSecond: number; processorUs?: number }>;

export interface Contest {
  kind: "enqueue" | "enqueue + process";
  layer: "in-process" | "over HTTP";
  ours: Arm;
  peers: Map<PeerName, Arm>;
}

/** Runs all queues in each round, so that all are compared with the same measurement of ours. */
export async function compare(bench: Bench, { kind, layer, ours, peers }: Contest): Promise<Figure[]> {
  const figures: Figure[] = [];
  // Long enough for the compiler.
  for (const [name, arm] of [["ours", ours] as const, ...peers]) {
    bench.progress(`${kind}, ${layer}, warming up ${name}`);
    await arm({ atOnce: 50, batch: 1, seconds: bench.seconds });
  }
  for (const { way, atOnce, batch } of ways) {
    const load = { atOnce, batch: bench.size(batch, Math.ceil(batch / 50)), seconds: bench.seconds / 6 };
    const arms: Record<string, () => Promise<Sample>> = { ours: () => ours(load) };
    for (const [peer, arm] of peers) arms[peer] = () => arm(load);
    const rounds = await interleave(bench, `${kind}, ${way}, ${layer}`, arms, 1);
    for (const peer of peers.keys()) {
      const goal = isDurable(peer) ? { atLeast: 1 } : null;
      const figure = { name: `${kind}, ${way}, ${layer}`, unit: "jobs/s", against: peer, goal };
      const both = { ours: rounds.ours ?? [], theirs: rounds[peer] ?? [] };
      figures.push(ratioOf(both, "perSecond", figure));
      // Callers one at a time leave the processes waiting, and batches share what a call costs.
      if (atOnce > 1 && rounds.ours?.[0]?.processorUs !== undefined)
        figures.push(
          ratioOf(both, "processorUs", {
            ...{ name: `processor time of a job, ${kind}, ${way}`, unit: "µs", against: peer },
            goal: peer === "bullmq" ? { atMost: 0.6 } : null,
          }),
        );
    }
  }
  return figures;
}
