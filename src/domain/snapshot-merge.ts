// What a reading tells of an execution besides its status. What it leaves out stays as it was known.
import { durationMs, isCost } from "./cost.ts";
import type { Execution, Snapshot } from "./execution.ts";

export function mergeSnapshot(execution: Execution, reading: Snapshot) {
  return {
    startedAt: reading.startedAt ?? execution.startedAt,
    endedAt: reading.endedAt ?? execution.endedAt,
    returnCode: reading.returnCode ?? execution.returnCode,
    hardware: reading.hardware ?? execution.hardware,
  };
}

/** Whether all that it measures was known. */
export function addsNothing(execution: Execution, reading: Snapshot): boolean {
  return measures.every((name) => reading[name] === undefined || reading[name] === execution[name]);
}

const measures = ["startedAt", "endedAt", "returnCode", "hardware"] as const;

/**
 * Only of an execution that has ended: before, the bill is not final. A 0 for an execution that took time is no bill
 * yet, unless the reading names its source: Lyceum was then asked once more, or the hardware costs nothing.
 */
export function mergeCost(execution: Execution, reading: Snapshot): Pick<Execution, "cost" | "costSource"> {
  const { cost, costSource } = execution;
  const isBillYet = reading.cost !== 0 || reading.costSource !== undefined || !tookTime(execution, reading);
  if (!isCost(reading.cost) || !isBillYet) return { cost, costSource };
  return { cost: reading.cost, costSource: reading.costSource ?? "billed" };
}

/** Lyceum may still name a bill, or a better one. */
export function lacksBill(execution: Execution, reading: Snapshot): boolean {
  const isBilled = isCost(reading.cost) && (reading.cost > 0 || reading.costSource !== undefined);
  return tookTime(execution, reading) && !(isBilled && reading.costSource !== "estimated");
}

function tookTime(execution: Execution, reading: Snapshot): boolean {
  return (durationMs(mergeSnapshot(execution, reading)) ?? 0) > 0;
}
