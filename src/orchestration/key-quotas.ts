// Quotas within a transaction: submissions that share it are judged one after another.
import { type KeyQuota, type QuotaExceeded, quotaExceeded } from "../domain/key-quota.ts";
import type { Tx } from "../store/db/transaction.ts";
import { addToQuota, lockQuotaUse } from "../store/key-quotas.ts";

export type KeyQuotas = ReadonlyMap<string, KeyQuota>;

export interface OpenQuotas {
  /** Null, or the reason why the key may not submit so many runs. */
  take(apiKey: string, runs: number): QuotaExceeded | null;
  save(): Promise<void>;
}

/** Keys are locked in the order of their names. */
export async function openQuotas(tx: Tx, quotas: readonly (KeyQuota | null)[]): Promise<OpenQuotas> {
  const byName = new Map(quotas.flatMap((quota) => (quota === null ? [] : [[quota.name, quota] as const])));
  const open = new Map<
    string,
    { quota: KeyQuota; use: Awaited<ReturnType<typeof lockQuotaUse>>; taken: number }
  >();
  for (const [name, quota] of [...byName].sort(([one], [other]) => (one < other ? -1 : 1)))
    open.set(name, { quota, use: await lockQuotaUse(tx.db, quota, tx.now), taken: 0 });
  return {
    take(apiKey, runs) {
      const account = open.get(apiKey);
      if (account === undefined) return null;
      const { quota, use } = account;
      const exceeded = quotaExceeded(quota, use, runs, tx.now);
      if (exceeded !== null) return exceeded;
      account.use = { ...use, used: use.used + runs, waiting: use.waiting + runs };
      account.taken += runs;
      return null;
    },
    async save() {
      for (const { quota, taken } of open.values())
        if (taken > 0) await addToQuota(tx.db, quota, tx.now, taken);
    },
  };
}
