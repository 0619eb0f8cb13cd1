// Merges the measures of a snapshot into an execution. Values that the snapshot leaves out are kept.
import { durationMs, isCost } from "./cost.ts";
import type { Execution, Snapshot } from "./execution.ts";

export function mergeSnapshot(execution: Execution, snapshot: Snapshot) {
  return {
    startedAt: snapshot.startedAt ?? execution.startedAt,
    endedAt: snapshot.endedAt ?? execution.endedAt,
    returnCode: snapshot.returnCode ?? execution.returnCode,
    hardware: snapshot.hardware ?? execution.hardware,
  };
}

export function addsNothing(execution: Execution, snapshot: Snapshot): boolean {
  return measures.every((name) => snapshot[name] === undefined || snapshot[name] === execution[name]);
}

const measures = ["startedAt", "endedAt", "returnCode", "hardware"] as const;

/**
 * For an ended execution: before, the bill is not final. A cost of 0 for an execution that took time is no bill yet,
 * unless the snapshot names its source.
 */
export function mergeCost(execution: Execution, snapshot: Snapshot): Pick<Execution, "cost" | "costSource"> {
  const { cost, costSource } = execution;
  const isBillYet =
    snapshot.cost !== 0 || snapshot.costSource !== undefined || !tookTime(execution, snapshot);
  if (!isCost(snapshot.cost) || !isBillYet) return { cost, costSource };
  return { cost: snapshot.cost, costSource: snapshot.costSource ?? "billed" };
}

/** Lyceum may still name a bill. */
export function lacksBill(execution: Execution, snapshot: Snapshot): boolean {
  const isBilled = isCost(snapshot.cost) && (snapshot.cost > 0 || snapshot.costSource !== undefined);
  return tookTime(execution, snapshot) && !(isBilled && snapshot.costSource !== "estimated");
}

function tookTime(execution: Execution, snapshot: Snapshot): boolean {
  return (durationMs(mergeSnapshot(execution, snapshot)) ?? 0) > 0;
}
