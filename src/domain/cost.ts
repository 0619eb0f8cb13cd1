// What an execution costs: Lyceum's own figure, or the price of its hardware times its duration, and which of the two.

export type CostSource = "billed" | "estimated";

/** Credits are added up in whole billionths: sums of integers do not drift. */
export const NANO = 1_000_000_000;
/** Credits. No execution costs as much: a larger figure is none, and sums stay exact. */
export const MAX_CREDITS = 1_000_000;

export function toNano(credits: number): number {
  return Math.round(credits * NANO);
}

export function toCredits(nano: number): number {
  return nano / NANO;
}

/** Whether a figure can be what something costs. */
export function isCost(credits: number | null | undefined): credits is number {
  return credits != null && credits >= 0 && credits <= MAX_CREDITS;
}

interface Timed {
  startedAt: number | null;
  endedAt: number | null;
}

/** Milliseconds at Lyceum, from the start of the execution itself to its end. */
export function durationMs({ startedAt, endedAt }: Timed): number | null {
  return startedAt === null || endedAt === null ? null : Math.max(0, endedAt - startedAt);
}

/** Price times duration; null where one of them is not known. */
export function estimatedCost(timed: Timed, pricePerHour: number | null): number | null {
  const lastedMs = durationMs(timed);
  if (lastedMs === null || pricePerHour === null) return null;
  const credits = (pricePerHour * lastedMs) / 3_600_000;
  return isCost(credits) ? credits : null;
}

export interface Cost {
  cost: number | null;
  source: CostSource | null;
}

/** Of several executions together: an estimate as soon as one of them is. */
export function sumOf(costs: Cost[]): Cost {
  const known = costs.filter(({ cost }) => cost !== null);
  if (known.length === 0) return { cost: null, source: null };
  const nano = known.reduce((sum, { cost }) => sum + toNano(cost ?? 0), 0);
  const isBilled = known.every(({ source }) => source === "billed");
  return { cost: toCredits(nano), source: isBilled ? "billed" : "estimated" };
}

/** Of an execution, what the totals are made of. */
export interface Priced extends Timed {
  detectedAt: number | null;
  cost: number | null;
  costSource: CostSource | null;
}

/** What one execution adds to the totals. */
export interface Tally {
  executions: number;
  durationMs: number;
  billedNano: number;
  estimatedNano: number;
  /** Ended, and nobody knows what it cost. */
  unpriced: number;
}

/** Nothing before its end is known. */
export function tallyOf(execution: Priced | null): Tally {
  if (execution === null || execution.detectedAt === null) return nothing;
  const { cost, costSource } = execution;
  return {
    executions: 1,
    durationMs: durationMs(execution) ?? 0,
    billedNano: costSource === "billed" ? toNano(cost ?? 0) : 0,
    estimatedNano: costSource === "estimated" ? toNano(cost ?? 0) : 0,
    unpriced: cost === null ? 1 : 0,
  };
}

/** How the totals move; null when they stay. */
export function difference(before: Tally, after: Tally): Tally | null {
  if (names.every((name) => before[name] === after[name])) return null;
  return eachOf((name) => after[name] - before[name]);
}

export function sumOfTallies(tallies: readonly Tally[]): Tally {
  return eachOf((name) => tallies.reduce((sum, tally) => sum + tally[name], 0));
}

function eachOf(value: (name: keyof Tally) => number): Tally {
  return Object.fromEntries(names.map((name) => [name, value(name)])) as unknown as Tally;
}

const nothing: Tally = { executions: 0, durationMs: 0, billedNano: 0, estimatedNano: 0, unpriced: 0 };
const names = Object.keys(nothing) as (keyof Tally)[];

/** The day (UTC) that an end counts to. */
export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
