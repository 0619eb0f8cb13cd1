// Claims on due executions: who holds what, until when, and how it is given back.
import type { Context } from "../orchestration/context.ts";
import { claimAlong, claimDue, type Due, type DueGroup, handBack, loadDue } from "../store/due.ts";
import type { Tx } from "../store/transaction.ts";

export interface Claims {
  /** Takes what is due; the lease ends by itself if this process dies. */
  take(limit: number): Promise<Due[]>;
  /** Takes what comes due within `soonMs` and can share a look-up. */
  takeAlong(soonMs: number, limit: number): Promise<Due[]>;
  /** Whatever came of it, its next wake-up is in the row now. */
  done(due: Due[]): void;
  handBack(): Promise<void>;
}

export function createClaims({ store }: Context, group: DueGroup, leaseMs: number): Claims {
  /** Lease ends by execution id. */
  const held = new Map<string, number>();

  async function hold(claim: (tx: Tx, leaseUntil: number) => Promise<string[]>): Promise<Due[]> {
    const { ids, leaseUntil } = await store.write(async (tx) => {
      const leaseUntil = tx.now + leaseMs;
      return { ids: await claim(tx, leaseUntil), leaseUntil };
    });
    for (const id of ids) held.set(id, leaseUntil);
    return ids.length === 0 ? [] : loadDue(store.db, ids);
  }

  return {
    take: (limit) => hold((tx, leaseUntil) => claimDue(tx.db, group, tx.now, leaseUntil, limit)),
    takeAlong: (soonMs, limit) =>
      hold((tx, leaseUntil) => claimAlong(tx.db, tx.now + soonMs, leaseUntil, limit)),
    done(due) {
      for (const { execution } of due) held.delete(execution.id);
    },
    async handBack() {
      const ids = [...held.keys()];
      const leases = [...new Set(held.values())];
      await store.write((tx) => handBack(tx.db, ids, leases, tx.now));
      held.clear();
    },
  };
}
