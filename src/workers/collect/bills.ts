// Bills come late: a record may name none, or 0, when the run ends. It is read for its bill once more; a bill that is
// still missing then is looked for in the history.
import { isCost } from "../../domain/cost.ts";
import type { Execution, Snapshot } from "../../domain/execution.ts";
import { lacksBill } from "../../domain/snapshot-merge.ts";
import type { LyceumClient } from "../../lyceum/client.ts";
import type { ArtifactChange, ArtifactState } from "../../store/artifacts.ts";
import type { Db } from "../../store/db/transaction.ts";
import { priceOf } from "../../store/machine-types.ts";
import { lyceumIdOf } from "./record-artifact.ts";

export interface Bills {
  /** Settles the bill of the last reading: the history may fill it in, else a cost of 0 counts as billed. */
  settle(execution: Execution, reading: Snapshot): Promise<Snapshot>;
}

export function createBills(lyceum: LyceumClient, now: () => number): Bills {
  let readAts: number[] = [];
  let page: Promise<Map<string, number>> = Promise.resolve(new Map());

  /** The newest rows, shared by all executions that ended before they were read; older ones once the hour's calls are used up. */
  function newestBills({ detectedAt }: Execution): Promise<Map<string, number>> {
    const at = now();
    readAts = readAts.filter((readAt) => Math.abs(at - readAt) < 3_600_000);
    const isNewEnough = (readAts.at(-1) ?? Number.NEGATIVE_INFINITY) > (detectedAt ?? at);
    if (isNewEnough || readAts.length >= MAX_PAGES_AN_HOUR) return page;
    readAts.push(at);
    page = readPage();
    return page;
  }

  async function readPage(): Promise<Map<string, number>> {
    const answer = await lyceum.history({ limit: PAGE_ROWS, offset: 0 }, "collect");
    const rows = answer.type === "ok" ? answer.value.rows.slice(0, MAX_ROWS) : [];
    return new Map(
      rows.flatMap(({ executionId, billed }) => (isCost(billed) ? [[executionId, billed] as const] : [])),
    );
  }

  return {
    async settle(execution, reading) {
      if (!lacksBill(execution, reading)) return reading;
      const cost = (await newestBills(execution)).get(lyceumIdOf(execution));
      // An estimate from sub-jobs that is higher than the selection's own bill stays.
      if (cost !== undefined && cost >= (reading.cost ?? 0))
        return { ...reading, cost, costSource: "billed" };
      return reading.cost === 0 ? { ...reading, costSource: "billed" } : reading;
    },
  };
}

/** The 0 of hardware that costs nothing is its bill. */
export async function withFreeHardware(
  db: Db,
  { hardware }: Execution,
  reading: Snapshot,
): Promise<Snapshot> {
  const profile = reading.hardware ?? hardware;
  if (reading.cost !== 0 || profile === null || (await priceOf(db, profile)) !== 0) return reading;
  return { ...reading, costSource: "billed" };
}

/** The record is read for its bill some time after the end, with the last of the other documents. */
export function billDueAt(
  endKnownAt: number,
  afterMs: number,
  known: readonly Pick<ArtifactState, "kind" | "due_at">[],
  changes: readonly Pick<ArtifactChange, "kind" | "dueAt">[],
): number {
  const dueAts = new Map(known.map(({ kind, due_at }) => [kind, due_at]));
  for (const { kind, dueAt } of changes) dueAts.set(kind, dueAt);
  dueAts.delete("record");
  const open = [...dueAts.values()].filter((at) => at !== null);
  const firstOpenAt = open.length === 0 ? 0 : Math.min(...open);
  return Math.max(endKnownAt + afterMs, firstOpenAt);
}

const PAGE_ROWS = 100;
const MAX_ROWS = 1_000;
/** Lyceum grants 100 calls to the history an hour, and starts in doubt are searched there. */
const MAX_PAGES_AN_HOUR = 30;
