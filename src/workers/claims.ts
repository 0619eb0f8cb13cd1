// Claims on due executions: taken with a lease, and released when done, at shutdown, or after a fault.
import type { Context } from "../orchestration/context.ts";
import type { Tx } from "../store/db/transaction.ts";
import {
  claimDue,
  claimListable,
  claimNamed,
  type DueExecution,
  type DueKind,
  hasten,
  loadDue,
  nextDueAt,
  release as releaseClaims,
  releaseLeases,
} from "../store/execution-claims.ts";
import { createFaulted } from "./faulted.ts";

export interface Claims {
  /** If this process dies, the lease ends by itself. */
  take(limit: number): Promise<DueExecution[]>;
  /** For which no list answers. */
  takeNamed(limit: number): Promise<DueExecution[]>;
  /** Due within `soonMs`, answered by a list; `step` at a time. */
  takeListable(soonMs: number, step: number): Promise<DueExecution[]>;
  /** For a write that sets the lease itself. */
  claimWith(claim: (tx: Tx, leaseUntil: number) => Promise<string[]>): Promise<DueExecution[]>;
  /** For a claim by the write that made the execution due. */
  track(due: Pick<DueExecution, "execution">, leaseUntil: number): void;
  done(due: Pick<DueExecution, "execution">[]): void;
  /** By a fault: the next `take` makes the executions due again in seconds, before their lease ends. */
  failed(due: Pick<DueExecution, "execution">[]): void;
  /** The executions are due again at once, for whoever claims them. */
  giveBack(due: Pick<DueExecution, "execution">[]): Promise<void>;
  /** Gives back everything. */
  release(): Promise<void>;
}

export function createClaims({ store }: Context, kind: DueKind, leaseMs: number, now: () => number): Claims {
  const leases = new Map<string, number>();
  const faulted = createFaulted();
  /** The database's answer to these claims was lost: they may have been written. */
  const uncertain = new Set<number>();

  async function claimWith(
    claim: (tx: Tx, leaseUntil: number) => Promise<string[]>,
  ): Promise<DueExecution[]> {
    let leaseUntil = 0;
    const claiming = store.write(async (tx) => {
      leaseUntil = tx.now + leaseMs;
      return claim(tx, leaseUntil);
    });
    const ids = await claiming.catch((error) => {
      if (leaseUntil > 0) uncertain.add(leaseUntil);
      throw error;
    });
    for (const id of ids) leases.set(id, leaseUntil);
    if (ids.length === 0) return [];
    return loadDue(store.db, ids).catch((error) => {
      forget(ids);
      throw error;
    });
  }

  function forget(ids: string[]): void {
    for (const id of ids) leases.delete(id);
    faulted.add(ids);
  }

  /** Each further fault of an execution delays it longer. */
  async function releaseFaulted(): Promise<void> {
    if (faulted.size() === 0 && uncertain.size === 0) return;
    const [groups, uncertainLeases] = [faulted.byDelay(), [...uncertain]];
    const ours = [...leases].flatMap(([id, leaseUntil]) => (uncertain.has(leaseUntil) ? [id] : []));
    await store.write(async (tx) => {
      for (const [delayMs, ids] of groups) {
        await hasten(tx.db, ids, tx.now + delayMs);
        tx.wake(kind, tx.now + delayMs);
        // The write whose answer was lost may have recorded an end.
        if (kind === "reconcile") tx.wake("collect", tx.now + delayMs);
      }
      if (uncertainLeases.length > 0)
        await releaseLeases(tx.db, kind, uncertainLeases, ours, tx.now, tx.instance);
    });
    for (const [, ids] of groups) faulted.released(ids);
    for (const leaseUntil of uncertainLeases) uncertain.delete(leaseUntil);
  }

  async function endLeases(ids: string[]): Promise<void> {
    const held = ids.flatMap((id) => {
      const leaseUntil = leases.get(id);
      return leaseUntil === undefined ? [] : [[id, leaseUntil] as const];
    });
    for (let from = 0; from < held.length; from += RELEASED_AT_ONCE) {
      const part = held.slice(from, from + RELEASED_AT_ONCE);
      const leaseEnds = [...new Set(part.map(([, leaseUntil]) => leaseUntil))];
      await store.write(async (tx) => {
        const released = part.map(([id]) => id);
        await releaseClaims(tx.db, released, leaseEnds, tx.now);
        tx.wake(kind, tx.now);
      });
      for (const [id] of part) leases.delete(id);
    }
  }

  return {
    async take(limit) {
      await releaseFaulted();
      // A transaction that claims nothing costs as much as one that claims.
      if (((await nextDueAt(store.db, kind)) ?? Number.POSITIVE_INFINITY) > now()) return [];
      return claimWith((tx, leaseUntil) => claimDue(tx.db, kind, tx.now, leaseUntil, limit, tx.instance));
    },
    async takeNamed(limit) {
      await releaseFaulted();
      return claimWith((tx, leaseUntil) => claimNamed(tx.db, tx.now, leaseUntil, limit, tx.instance));
    },
    async takeListable(soonMs, step) {
      const taken: DueExecution[] = [];
      // Further ahead, executions that were just claimed would be claimed again.
      const aheadMs = Math.min(soonMs, leaseMs / 2);
      try {
        for (;;) {
          const part = await claimWith((tx, until) =>
            claimListable(tx.db, tx.now + aheadMs, until, step, tx.instance),
          );
          taken.push(...part);
          if (part.length < step) return taken;
        }
      } catch (error) {
        forget(taken.map(({ execution }) => execution.id));
        throw error;
      }
    },
    claimWith,
    track: ({ execution }, leaseUntil) => void leases.set(execution.id, leaseUntil),
    done(due) {
      for (const { execution } of due) leases.delete(execution.id);
      faulted.done(due.map(({ execution }) => execution.id));
    },
    failed: (due) => forget(due.map(({ execution }) => execution.id)),
    async giveBack(due) {
      const ids = due.map(({ execution }) => execution.id);
      await endLeases(ids).catch((error) => {
        forget(ids);
        throw error;
      });
    },
    async release() {
      await releaseFaulted();
      await endLeases([...leases.keys()]);
    },
  };
}

const RELEASED_AT_ONCE = 500;
