// The cost of an execution: Lyceum's own figure, or an estimate from price and duration.

export type CostSource = "billed" | "estimated";

/** Credits are added up in whole billionths: sums of integers do not drift. */
export const NANO = 1_000_000_000;
/** Credits. A larger figure is no cost; below it sums stay exact. */
export const MAX_CREDITS = 1_000_000;

export function toNano(credits: number): number {
  return Math.round(credits * NANO);
}

export function toCredits(nano: number): number {
  return nano / NANO;
}

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

/** The cost of several executions: an estimate if one of them is. */
export function sumOf(costs: Cost[]): Cost {
  const known = costs.filter(({ cost }) => cost !== null);
  if (known.length === 0) return { cost: null, source: null };
  const nano = known.reduce((sum, { cost }) => sum + toNano(cost ?? 0), 0);
  const isBilled = known.every(({ source }) => source === "billed");
  return { cost: toCredits(nano), source: isBilled ? "billed" : "estimated" };
}

export interface Priced extends Timed {
  detectedAt: number | null;
  cost: number | null;
  costSource: CostSource | null;
}

export interface Tally {
  executions: number;
  durationMs: number;
  billedNano: number;
  estimatedNano: number;
  /** Executions that ended without a known cost. */
  unpriced: number;
}

/** An execution counts once its end is known. */
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

export const nothing: Tally = { executions: 0, durationMs: 0, billedNano: 0, estimatedNano: 0, unpriced: 0 };
const names = Object.keys(nothing) as (keyof Tally)[];

/** The day (UTC) of an end, as `2026-01-31`. */
export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
