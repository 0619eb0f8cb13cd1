// Claims on due executions: who holds what, until when, and how it is given back, also after a fault.
import type { Context } from "../orchestration/context.ts";
import type { Tx } from "../store/db/transaction.ts";
import {
  claimDue,
  claimListable,
  type DueExecution,
  type DueKind,
  hasten,
  loadDue,
  release as releaseClaims,
  releaseLeases,
} from "../store/execution-claims.ts";
import { createFaulted } from "./faulted.ts";

export interface Claims {
  /** Takes what is due; the lease ends by itself if this process dies. */
  take(limit: number): Promise<DueExecution[]>;
  /** Takes all that comes due within `soonMs` and can share a look-up, `step` at a time. */
  takeListable(soonMs: number, step: number): Promise<DueExecution[]>;
  /** Holds what was claimed by the write that made it due. */
  track(due: Pick<DueExecution, "execution">, leaseUntil: number): void;
  /** Whatever came of it, its next wake-up is in the row now. */
  done(due: Pick<DueExecution, "execution">[]): void;
  /** The work met a fault. With the next `take`, the executions come due again in some seconds instead of with their lease. */
  failed(due: Pick<DueExecution, "execution">[]): void;
  release(): Promise<void>;
}

export function createClaims({ store }: Context, group: DueKind, leaseMs: number): Claims {
  /** Lease ends by execution id. */
  const held = new Map<string, number>();
  const faulted = createFaulted();
  /** Ends of leases that were perhaps written: the answer to the claim was lost. */
  const uncertain = new Set<number>();

  async function hold(claim: (tx: Tx, leaseUntil: number) => Promise<string[]>): Promise<DueExecution[]> {
    let leaseUntil = 0;
    const claiming = store.write(async (tx) => {
      leaseUntil = tx.now + leaseMs;
      return claim(tx, leaseUntil);
    });
    const ids = await claiming.catch((error) => {
      if (leaseUntil > 0) uncertain.add(leaseUntil);
      throw error;
    });
    for (const id of ids) held.set(id, leaseUntil);
    if (ids.length === 0) return [];
    return loadDue(store.db, ids).catch((error) => {
      forget(ids);
      throw error;
    });
  }

  function forget(ids: string[]): void {
    for (const id of ids) held.delete(id);
    faulted.add(ids);
  }

  /** Frees executions that a fault left claimed. Each further fault of an execution delays it longer. */
  async function release(): Promise<void> {
    if (faulted.size() === 0 && uncertain.size === 0) return;
    const [groups, leases] = [faulted.byDelay(), [...uncertain]];
    const ours = [...held].flatMap(([id, leaseUntil]) => (uncertain.has(leaseUntil) ? [id] : []));
    await store.write(async (tx) => {
      for (const [delayMs, ids] of groups) {
        await hasten(tx.db, ids, tx.now + delayMs);
        tx.wake(group, tx.now + delayMs);
        // The write whose answer was lost may have been that of an end.
        if (group === "check") tx.wake("collect", tx.now + delayMs);
      }
      if (leases.length > 0) await releaseLeases(tx.db, group, leases, ours, tx.now, tx.instance);
    });
    for (const [, ids] of groups) faulted.released(ids);
    for (const leaseUntil of leases) uncertain.delete(leaseUntil);
  }

  return {
    async take(limit) {
      await release();
      return hold((tx, leaseUntil) => claimDue(tx.db, group, tx.now, leaseUntil, limit, tx.instance));
    },
    async takeListable(soonMs, step) {
      const taken: DueExecution[] = [];
      // Not so far ahead that what was just claimed would be claimed again.
      const aheadMs = Math.min(soonMs, leaseMs / 2);
      try {
        for (;;) {
          const some = await hold((tx, until) =>
            claimListable(tx.db, tx.now + aheadMs, until, step, tx.instance),
          );
          taken.push(...some);
          if (some.length < step) return taken;
        }
      } catch (error) {
        forget(taken.map(({ execution }) => execution.id));
        throw error;
      }
    },
    track: ({ execution }, leaseUntil) => void held.set(execution.id, leaseUntil),
    done(due) {
      for (const { execution } of due) held.delete(execution.id);
      faulted.done(due.map(({ execution }) => execution.id));
    },
    failed: (due) => forget(due.map(({ execution }) => execution.id)),
    async release() {
      await release();
      const all = [...held];
      for (let from = 0; from < all.length; from += HANDED_BACK_AT_ONCE) {
        const some = all.slice(from, from + HANDED_BACK_AT_ONCE);
        const ids = some.map(([id]) => id);
        const leases = [...new Set(some.map(([, leaseUntil]) => leaseUntil))];
        await store.write((tx) => releaseClaims(tx.db, ids, leases, tx.now));
      }
      held.clear();
    },
  };
}

const HANDED_BACK_AT_ONCE = 500;
