// What a figure is, and how two arms are compared: interleaved, several rounds, the ratio taken round by round,
// since a shared machine changes its speed within minutes.

export interface Scenario {
  name: string;
  /** What the figures include, and what they leave out. */
  includes: string;
  run(bench: Bench): Promise<Figure[]>;
}

export interface Bench {
  rounds: number;
  /** Of one arm in one round. */
  seconds: number;
  /** A full size, or a small one that only proves that the bench runs. */
  size(full: number, smoke: number): number;
  /** For files of this run; gone at its end. */
  directory: string;
  progress(what: string): void;
  /** What a scenario goes on without; told in one line. */
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
  /** What stands beside ours, and what it is. Null: a figure that stands alone. */
  theirs: number | null;
  against: string;
  /** Median, lowest and highest of the rounds. Of a figure that stands alone its values. */
  ratio: { median: number; low: number; high: number };
  goal: Goal | null;
}

/** A scenario that cannot run here; it is told in one line and is no failure. */
export class Skipped extends Error {}

export type Sample = Record<string, number>;
export interface Rounds {
  ours: Sample[];
  theirs: Sample[];
}

/**
 * Runs all arms in each round, and changes who begins.
 * @param warmUps rounds beforehand that do not count: the compiler works for seconds on what a service does for weeks
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

/** Compares one number that both arms measured in each round. */
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

/** Of sorted values. */
export function quantile(sorted: Float64Array, share: number): number {
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

function spreadOf(values: number[]): Figure["ratio"] {
  return { median: median(values), low: Math.min(...values), high: Math.max(...values) };
}
