// Checks that the books end with the price that Lyceum reported for each execution.
import type { Books } from "../books.ts";
import type { Call } from "../call.ts";
import { demand } from "../invariants.ts";
import type { Lyceum } from "../lyceum.ts";
import type { Heard } from "../network.ts";
import { subJobOf, type Work } from "../work.ts";

interface BillsOptions {
  books: Books;
  lyceum: Lyceum;
  now(): number;
}

export function createBills({ books, lyceum, now }: BillsOptions) {
  /** The last bill that a readable record showed, by Lyceum's ids; 0 while none is written. */
  const shown = new Map<string, number>();
  /** When the record showed it. */
  const shownAt = new Map<string, number>();
  /** Read shortly before the process died. A selection is written once all of its sub-jobs are read. */
  const perhapsUnwritten = new Set<string>();
  /** The same of the rows of the history, which nobody has to read where the record tells. */
  const listed = new Map<string, number>();
  /** Looks at a record, or into the history, since the end. */
  const looks = new Map<string, number>();

  function count({ route, id }: Call): void {
    if (route !== "record" && route !== "history") return;
    for (const work of lyceum.works) {
      const isAsked = (route === "history" || work.id === id) && now() >= work.recordAt;
      if (isAsked) looks.set(work.id, (looks.get(work.id) ?? 0) + 1);
    }
  }

  return {
    heard({ call, original }: Heard): void {
      count(call);
      if (original?.status !== 200) return;
      if (call.route === "history") for (const [id, bill] of billsIn(original.json)) listed.set(id, bill);
      if (call.route !== "record") return;
      const { billed, return_code } = original.json as { billed?: number; return_code?: unknown };
      if (return_code === undefined) return;
      shown.set(call.id, billed ?? 0);
      shownAt.set(call.id, now());
      perhapsUnwritten.delete(call.id);
    },
    died(): void {
      for (const [id, at] of shownAt) if (at > now() - UNWRITTEN_MS) perhapsUnwritten.add(id);
    },
    /** When all is over. */
    compare(): void {
      for (const work of lyceum.works) {
        const execution = books.execution(work.marker);
        if (execution === null || execution.lyceum_execution_id !== work.id) continue;
        const bill = billIn(shown, work);
        const { cost, cost_source } = execution;
        const isListed = cost === billIn(listed, work) || (bill === 0 && cost === listed.get(work.id));
        // When two reads overlap, the older may be answered last: the bill in the newer answer is still true.
        const isTrue = cost === work.bill && !work.hasSubJob;
        const isOwnAlone = perhapsUnwritten.has(subJobOf(work)) && cost === shown.get(work.id);
        const isBilled = cost_source === "billed" && (cost === bill || isListed || isTrue || isOwnAlone);
        const isBooked = bill === 0 ? cost_source !== "billed" || isBilled : isBilled;
        demand(isBooked, () => `${work.id} costs ${bill}, the books say ${cost} (${cost_source})`);
        compareUnbilled(work, bill, execution.status === "lost");
      }
    },
  };

  /** A price of nothing is looked at once more; and what an orphan costs is read. */
  function compareUnbilled(work: Work, bill: number, isOrphan: boolean): void {
    const seen = looks.get(work.id) ?? 0;
    const wasEnded = isOrphan && work.abortAskedAt !== null;
    demand(!wasEnded || seen > 0, () => `nobody reads what the orphan ${work.id} costs`);
    const tookTime = work.endsAt > work.startsAt && !work.isEndless;
    const isUnbilled = shown.has(work.id) && bill === 0 && tookTime;
    demand(!isUnbilled || seen > 1, () => `${work.id} shows no bill, and nobody looks again`);
  }
}

const UNWRITTEN_MS = 60_000;

/** Its own, or that of its sub-job, which is more. */
function billIn(bills: Map<string, number>, work: Work): number {
  return Math.max(bills.get(work.id) ?? 0, bills.get(subJobOf(work)) ?? 0);
}

function billsIn(history: unknown): [id: string, bill: number][] {
  const { executions } = history as { executions: ({ execution_id?: string; billed?: number } | null)[] };
  return executions.flatMap((row) => (row?.execution_id ? [[row.execution_id, row.billed ?? 0]] : []));
}
