// Bills come late: a record without a bill, or with 0, is read once more; a missing bill is looked up in the history.
import { isCost } from "../../domain/cost.ts";
import type { Execution, Snapshot } from "../../domain/execution.ts";
import { lacksBill } from "../../domain/snapshot-merge.ts";
import type { LyceumClient } from "../../lyceum/client.ts";
import { lyceumIdOf } from "../../lyceum/snapshot.ts";
import type { ArtifactChange, ArtifactState } from "../../store/artifacts.ts";
import type { Db } from "../../store/db/transaction.ts";
import { priceOf } from "../../store/machine-types.ts";

export interface Bills {
  /** From the history; else a cost of 0 counts as billed. */
  complete(execution: Execution, snapshot: Snapshot): Promise<Snapshot>;
}

export function createBills(lyceum: LyceumClient, now: () => number): Bills {
  let readAts: number[] = [];
  let page: Promise<Map<string, number>> = Promise.resolve(new Map());

  /** Shared by all executions that ended before the read. */
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
    async complete(execution, snapshot) {
      if (!lacksBill(execution, snapshot)) return snapshot;
      const cost = (await newestBills(execution)).get(lyceumIdOf(execution));
      if (cost !== undefined && cost >= (snapshot.cost ?? 0))
        return { ...snapshot, cost, costSource: "billed" };
      return snapshot.cost === 0 ? { ...snapshot, costSource: "billed" } : snapshot;
    },
  };
}

/** A cost of 0 is the bill if the hardware costs nothing. */
export async function withFreeHardware(
  db: Db,
  { hardware }: Execution,
  snapshot: Snapshot,
): Promise<Snapshot> {
  const profile = snapshot.hardware ?? hardware;
  if (snapshot.cost !== 0 || profile === null || (await priceOf(db, profile)) !== 0) return snapshot;
  return { ...snapshot, costSource: "billed" };
}

/** Some time after the end, with the last of the other artifacts. */
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
/** Lyceum grants 100 calls to the history an hour, and the search for starts in doubt needs them, too. */
const MAX_PAGES_AN_HOUR = 30;
