// Costs are added to the totals in the transaction that records an end. A used-up budget stops starts at once.
import {
  dayOf,
  difference,
  durationMs,
  estimatedCost,
  nothing,
  sumOfTallies,
  type Tally,
  tallyOf,
} from "../domain/cost.ts";
import type { Execution } from "../domain/execution.ts";
import { readIdleShares } from "../store/artifacts.ts";
import { addHardwareUsage, addToKey, addUsage } from "../store/cost-totals.ts";
import { getOrAdd } from "../store/db/statements.ts";
import { groupSortedByRow, type Tx } from "../store/db/transaction.ts";
import { priceOf } from "../store/machine-types.ts";
import type { Context } from "./context.ts";

/** Answers the price per hour of a hardware profile, or null; each is looked up once. */
export type Prices = (hardware: string) => Promise<number | null>;

export function pricesIn({ db }: Tx): Prices {
  const known = new Map<string, Promise<number | null>>();
  return (hardware) => getOrAdd(known, hardware, () => priceOf(db, hardware));
}

/** Without a bill: price times duration. A known cost stays. */
export async function withCost(
  prices: Prices,
  execution: Execution,
  requestedHardware: string | null,
): Promise<Execution> {
  if (execution.detectedAt === null || execution.cost !== null) return execution;
  const hardware = execution.hardware ?? requestedHardware;
  const price = hardware === null ? null : await prices(hardware);
  const cost = estimatedCost(execution, price);
  return cost === null ? execution : { ...execution, cost, costSource: "estimated" };
}

export interface CostChange {
  apiKey: string;
  requestedHardware: string | null;
  before: Execution | null;
  after: Execution | null;
}

/** The costs that the changes add to jobs, one per job. `updateJobs` writes them. */
export function jobCosts(changes: readonly CostChange[]): JobCost[] {
  return totals(costsOf(changes), (cost) => cost.jobId);
}

/** To be called when the jobs are locked: claims lock jobs before keys, too. */
export async function charge({ report }: Context, tx: Tx, changes: readonly CostChange[]): Promise<void> {
  const costs = costsOf(changes);
  for (const { tally } of costs) {
    if (tally.billedNano !== 0) tx.count("cost.billed", tally.billedNano);
    if (tally.estimatedNano !== 0) tx.count("cost.estimated", tally.estimatedNano);
  }
  for (const { day, apiKey, tally } of totals(costs, (cost) => `${cost.day} ${cost.apiKey}`))
    tx.atEnd(`usage ${day} ${apiKey}`, () => addUsage(tx.db, day, apiKey, tally));
  for (const { day, apiKey, hardware, tally } of totals(costsByHardware(changes), rowOfHardware))
    tx.atEnd(`hardware_usage ${day} ${apiKey} ${hardware}`, () =>
      addHardwareUsage(tx.db, { day, apiKey, hardware, ...tally, idleMs: 0 }),
    );
  for (const { apiKey, at, tally } of totals(costs, (cost) => `${cost.at} ${cost.apiKey}`)) {
    const key = await addToKey(tx.db, apiKey, at, tally);
    if (key === undefined) continue;
    const { heldUntil } = key;
    tx.wake("dispatch", heldUntil ?? tx.now);
    if (heldUntil !== null)
      tx.afterCommit(() => report.budgetReached({ jobId: null, key: apiKey, heldUntil }));
  }
}

function costsOf(changes: readonly CostChange[]) {
  return changes.flatMap(({ apiKey, before, after }) => {
    const tally = difference(tallyOf(before), tallyOf(after));
    if (tally === null || after === null || after.detectedAt === null) return [];
    return [{ apiKey, jobId: after.jobId, at: after.detectedAt, day: dayOf(after.detectedAt), tally }];
  });
}

export interface JobCost {
  jobId: string;
  tally: Tally;
}

interface HardwareCost {
  day: string;
  apiKey: string;
  hardware: string;
  tally: Tally;
}

const rowOfHardware = ({ day, apiKey, hardware }: HardwareCost) => `${day} ${apiKey} ${hardware}`;

/** Lyceum may name the hardware later than the end: what was counted without the name then moves. */
function costsByHardware(changes: readonly CostChange[]): HardwareCost[] {
  return changes.flatMap(({ apiKey, requestedHardware, before, after }) => {
    if (after === null || after.detectedAt === null) return [];
    const day = dayOf(after.detectedAt);
    const [from, to] = [before, after].map((execution) => execution?.hardware ?? requestedHardware ?? "");
    const moves =
      from === to
        ? [{ hardware: to, tally: difference(tallyOf(before), tallyOf(after)) }]
        : [
            { hardware: from, tally: difference(tallyOf(before), nothing) },
            { hardware: to, tally: difference(nothing, tallyOf(after)) },
          ];
    return moves.flatMap(({ hardware = "", tally }) =>
      tally === null ? [] : [{ day, apiKey, hardware, tally }],
    );
  });
}

export interface Watched {
  apiKey: string;
  requestedHardware: string | null;
  execution: Execution;
}

/** Once per execution: when its last artifact is stored. */
export async function chargeIdleTime(tx: Tx, watched: readonly Watched[]): Promise<void> {
  const shares = await readIdleShares(
    tx.db,
    watched.map(({ execution }) => execution.id),
  );
  for (const { apiKey, requestedHardware, execution } of watched) {
    const idleMs = Math.round((shares.get(execution.id) ?? 0) * (durationMs(execution) ?? 0));
    if (idleMs === 0 || execution.detectedAt === null) continue;
    const day = dayOf(execution.detectedAt);
    const hardware = execution.hardware ?? requestedHardware ?? "";
    tx.atEnd(`hardware_usage ${day} ${apiKey} ${hardware} idle ${execution.id}`, () =>
      addHardwareUsage(tx.db, { day, apiKey, hardware, ...nothing, idleMs }),
    );
  }
}

function totals<C extends { tally: Tally }>(costs: C[], rowOf: (cost: C) => string): C[] {
  return groupSortedByRow(costs, rowOf).map(([, costsOfRow]) => {
    return { ...(costsOfRow[0] as C), tally: sumOfTallies(costsOfRow.map(({ tally }) => tally)) };
  });
}
