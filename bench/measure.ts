// Figures, and the comparison of two arms: interleaved over several rounds, with a ratio per round, because a shared
// machine changes its speed within minutes.

export interface Scenario {
  name: string;
  /** Parts that the figures include and leave out, for the report. */
  includes: string;
  run(bench: Bench): Promise<Figure[]>;
}

export interface Bench {
  rounds: number;
  /** Duration of one arm in one round. */
  seconds: number;
  /** Returns the full size, or the small one that only proves that the bench runs. */
  size(full: number, smoke: number): number;
  /** Files of this run; deleted at its end. */
  directory: string;
  progress(what: string): void;
  /** Prints a part that the scenario skips. */
  leaveOut(what: string): void;
}

export interface Goal {
  atLeast?: number;
  atMost?: number;
}

export interface Figure {
  name: string;
  unit: string;
  ours: number;
  /** The compared value, described by `against`. Null for a figure without a counterpart. */
  theirs: number | null;
  against: string;
  /** Median, lowest and highest of the rounds; the values themselves for a figure without a counterpart. */
  ratio: { median: number; low: number; high: number };
  goal: Goal | null;
}

/** A scenario that cannot run on this machine, which is no failure. */
export class Skipped extends Error {}

export type Sample = Record<string, number>;
export interface Rounds {
  ours: Sample[];
  theirs: Sample[];
}

/**
 * Runs all arms in each round, and rotates the first arm.
 * @param warmUps uncounted rounds, because the compiler needs seconds to optimise
 */
export async function interleave<Name extends string>(
  bench: Bench,
  what: string,
  arms: Record<Name, () => Promise<Sample>>,
  warmUps = 0,
): Promise<Record<Name, Sample[]>> {
  const names = Object.keys(arms) as Name[];
  for (let round = 0; round < warmUps; round++) {
    bench.progress(`${what}, warming up`);
    for (const name of names) await arms[name]();
  }
  const rounds = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, Sample[]>;
  for (let round = 0; round < bench.rounds; round++) {
    const first = round % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      bench.progress(`${what}, round ${round + 1} of ${bench.rounds}, ${name}`);
      rounds[name].push(await arms[name]());
    }
  }
  return rounds;
}

/** Compares a number that both arms measured in each round. */
export function ratioOf(
  rounds: Rounds,
  key: string,
  { name, unit, against, goal }: Pick<Figure, "name" | "unit" | "against" | "goal">,
): Figure {
  const ours = rounds.ours.map((sample) => sample[key] ?? Number.NaN);
  const theirs = rounds.theirs.map((sample) => sample[key] ?? Number.NaN);
  const ratio = spreadOf(ours.map((value, round) => value / (theirs[round] ?? Number.NaN)));
  return { name, unit, against, goal, ours: median(ours), theirs: median(theirs), ratio };
}

/** A figure without a counterpart, judged by its own value. */
export function alone(
  values: number[],
  { name, unit, goal }: Pick<Figure, "name" | "unit" | "goal">,
): Figure {
  const ratio = spreadOf(values);
  return { name, unit, goal, against: "", ours: ratio.median, theirs: null, ratio };
}

export function isReached({ ratio, goal }: Figure): boolean | null {
  if (goal === null) return null;
  const { atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY } = goal;
  return ratio.median >= atLeast && ratio.median <= atMost;
}

export function median(values: number[]): number {
  return quantile(Float64Array.from(values).sort(), 0.5);
}

/** @param sorted ascending */
export function quantile(sorted: Float64Array, share: number): number {
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

function spreadOf(values: number[]): Figure["ratio"] {
  return { median: median(values), low: Math.min(...values), high: Math.max(...values) };
}
