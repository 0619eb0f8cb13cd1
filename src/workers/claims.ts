// Claims on due executions: who holds what, until when, and how it is given back.
import type { Context } from "../orchestration/context.ts";
import { claimAlong, claimDue, type Due, type DueGroup, handBack, loadDue } from "../store/due.ts";
import type { Tx } from "../store/transaction.ts";

export interface Claims {
  /** Takes what is due; the lease ends by itself if this process dies. */
  take(limit: number): Promise<Due[]>;
  /** Takes all that comes due within `soonMs` and can share a look-up, `step` at a time. */
  takeAlong(soonMs: number, step: number): Promise<Due[]>;
  /** Holds what was claimed by the write that made it due. */
  adopt(due: Pick<Due, "execution">, leaseUntil: number): void;
  /** Whatever came of it, its next wake-up is in the row now. */
  done(due: Pick<Due, "execution">[]): void;
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
    async takeAlong(soonMs, step) {
      const taken: Due[] = [];
      // Not so far ahead that what was just claimed would be claimed again.
      const aheadMs = Math.min(soonMs, leaseMs / 2);
      for (;;) {
        const some = await hold((tx, until) => claimAlong(tx.db, tx.now + aheadMs, until, step));
        taken.push(...some);
        if (some.length < step) return taken;
      }
    },
    adopt: ({ execution }, leaseUntil) => void held.set(execution.id, leaseUntil),
    done(due) {
      for (const { execution } of due) held.delete(execution.id);
    },
    async handBack() {
      const all = [...held];
      for (let from = 0; from < all.length; from += HANDED_BACK_AT_ONCE) {
        const some = all.slice(from, from + HANDED_BACK_AT_ONCE);
        const ids = some.map(([id]) => id);
        const leases = [...new Set(some.map(([, leaseUntil]) => leaseUntil))];
        await store.write((tx) => handBack(tx.db, ids, leases, tx.now));
      }
      held.clear();
    },
  };
}

const HANDED_BACK_AT_ONCE = 500;
