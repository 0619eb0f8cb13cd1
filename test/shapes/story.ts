// Stories of lives: runs, each with its fate at the emulator and the mutations of the answers about the run.
import { createRandom, type Random } from "../simulation/random.ts";
import type { Plan } from "./layer.ts";
import { drawMutation, type Endpoint } from "./mutation.ts";

export interface Story {
  seed: number;
  subjects: readonly Subject[];
  /** For lists, histories and other answers about no single run. */
  shared: Plan;
  hasCallbacks: boolean;
  /** By email and password instead of a key. */
  logsIn: boolean;
}

/** A run. */
export interface Subject {
  kind: "image" | "gpu_selection";
  /** Directive of the emulator. */
  switches: string;
  /** When somebody cancels it, if anybody does. */
  cancelAfterMs: number | null;
  plan: Plan;
}

export const nameOf = (nth: number) => `shape-${nth}`;

export const SHARED: readonly Endpoint[] = ["list", "history", "types", "hardware", "login"];

/** Answers about these are mutated together. */
const TARGETS: readonly (readonly Endpoint[])[] = [
  ["start"],
  ["start", "record"],
  ["start", "record", "status"],
  ["record"],
  ["record", "status"],
  ["record", "timing", "metrics", "logs"],
  ["selection"],
  ["selection", "record", "status"],
  ["timing", "metrics"],
  ["logs"],
  ["abort"],
  ["abort", "record", "status"],
];

export function drawStory(seed: number, runs: number): Story {
  const random = createRandom(seed);
  return {
    seed,
    subjects: Array.from({ length: runs }, () => drawSubject(random.fork())),
    shared: drawPlan(random.fork(), SHARED, runs),
    hasCallbacks: random.chance(0.5),
    logsIn: random.chance(0.5),
  };
}

const MINUTE = 60_000;
const MAX_MUTATIONS = 6;

function drawSubject(random: Random): Subject {
  const endpoints = random.pick(TARGETS);
  const delay = random.pick(["0", "2s", "40s", "4m"]);
  const isCancelled = endpoints.includes("abort") || random.chance(0.05);
  return {
    kind: endpoints.includes("selection") ? "gpu_selection" : "image",
    switches: `pending=${random.between(0, 20)}s delay=${delay} exit=${random.pick([0, 0, 3])}`,
    cancelAfterMs: isCancelled ? random.between(0, 3 * MINUTE) : null,
    plan: drawPlan(random, endpoints, random.between(1, MAX_MUTATIONS)),
  };
}

/** So many mutations, then nothing but the truth. */
function drawPlan(random: Random, endpoints: readonly Endpoint[], count: number): Plan {
  let left = count;
  return { endpoints, next: (endpoint) => (left-- > 0 ? drawMutation(random, endpoint) : null) };
}
