// Executions at Lyceum whose run the database does not have: followed until end and cost are known, never aborted,
// because they may belong to another Proctor on the same account.
import { estimatedCost, isCost } from "../../domain/cost.ts";
import type { HistoryRow, ListedRow } from "../../lyceum/answer.ts";
import type { LyceumClient } from "../../lyceum/client.ts";
import { isOver } from "../../lyceum/snapshot.ts";
import type { Context } from "../../orchestration/context.ts";
import { priceOf } from "../../store/machine-types.ts";
import { openStrays, type Stray, updateStray } from "../../store/strays.ts";

export function strayOf(executionId: string, row: ListedRow | HistoryRow, now: number): Stray {
  return {
    execution_id: executionId,
    lyceum_execution_id: row.executionId,
    file_name: row.fileName,
    found_at: now,
    due_at: now,
    ...told(row),
  };
}

export function createStrays(
  { store, report, rules }: Context,
  { lyceum, now }: { lyceum: LyceumClient; now: () => number },
) {
  async function check(stray: Stray): Promise<void> {
    const answer = await lyceum.record(stray.lyceum_execution_id, null, "overdue");
    const isGone = answer.type === "missing";
    const seen = answer.type === "ok" ? { ...stray, ...told(answer.value) } : stray;
    const isEnded = answer.type === "ok" && isOver(answer.value);
    // Lyceum may bill late.
    const isLate = now() - (seen.ended_at ?? stray.found_at) > MAX_BILLING_MS;
    const isSettled = isGone || (isEnded && (seen.cost !== null || isLate));
    const priced = isSettled && seen.cost === null ? { ...seen, ...(await estimate(seen)) } : seen;
    const dueAt = isSettled ? null : now() + rules.pollMaxMs;
    await store.write((tx) => updateStray(tx.db, { ...priced, due_at: dueAt }));
    if (isSettled) {
      const { execution_id: executionId, raw_status: word, cost } = priced;
      report.strayEnded({ executionId, word, cost });
    }
  }

  async function estimate(stray: Stray): Promise<Pick<Stray, "cost" | "cost_source">> {
    const price = stray.hardware === null ? null : await priceOf(store.db, stray.hardware);
    const cost = estimatedCost({ startedAt: stray.started_at, endedAt: stray.ended_at }, price);
    return { cost, cost_source: cost === null ? null : "estimated" };
  }

  return {
    /** Returns when the next stray is due (epoch ms), or null. */
    async follow(): Promise<number | null> {
      const open = await openStrays(store.db, MAX_AT_ONCE);
      for (const stray of open) if ((stray.due_at ?? 0) <= now()) await check(stray);
      const [next] = await openStrays(store.db, 1);
      return next?.due_at ?? null;
    },
  };
}

function told(row: ListedRow | HistoryRow) {
  const known = "createdAt" in row ? row : null;
  const cost = isCost(known?.billed) ? known.billed : null;
  return {
    raw_status: row.word,
    hardware: known?.hardwareProfile ?? null,
    started_at: known?.startTime ?? known?.execeletStart ?? null,
    ended_at: known?.endTime ?? known?.finishTime ?? null,
    cost,
    cost_source: cost === null ? null : ("billed" as const),
  };
}

const MAX_AT_ONCE = 50;
const MAX_BILLING_MS = 10 * 60_000;
