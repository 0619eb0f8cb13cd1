// What a reading tells of an execution besides its status. What it leaves out stays as it was known.
import { isCost } from "./cost.ts";
import type { Execution, Reading } from "./execution.ts";

export function measured(execution: Execution, reading: Reading) {
  return {
    startedAt: reading.startedAt ?? execution.startedAt,
    endedAt: reading.endedAt ?? execution.endedAt,
    returnCode: reading.returnCode ?? execution.returnCode,
    hardware: reading.hardware ?? execution.hardware,
  };
}

/** Whether all that it measures was known. */
export function measuresNothingNew(execution: Execution, reading: Reading): boolean {
  return measures.every((name) => reading[name] === undefined || reading[name] === execution[name]);
}

const measures = ["startedAt", "endedAt", "returnCode", "hardware"] as const;

/** Only of an execution that has ended: before, the bill is not final. */
export function billed(
  { cost, costSource }: Execution,
  reading: Reading,
): Pick<Execution, "cost" | "costSource"> {
  if (!isCost(reading.cost)) return { cost, costSource };
  return { cost: reading.cost, costSource: reading.costSource ?? "billed" };
}
