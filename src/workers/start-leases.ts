// Leases of the starts under way: short, so that a dead process's starts come due within seconds, and renewed.
import type { Clock } from "../lib/clock.ts";
import type { Context } from "../orchestration/context.ts";
import { renewStarts } from "../store/execution-claims.ts";

export interface StartLeases {
  hold(executionId: string): void;
  release(executionId: string): void;
  renew(): Promise<void>;
  /** Epoch ms, or null. */
  renewAt(): number | null;
}

export function createStartLeases({ store, rules }: Context, clock: Clock): StartLeases {
  const held = new Set<string>();
  const everyMs = rules.submitPatienceMs / 3;
  let dueAt = 0;

  return {
    hold(executionId) {
      if (held.size === 0) dueAt = clock.monotonic() + everyMs;
      held.add(executionId);
    },
    release: (executionId) => void held.delete(executionId),
    async renew() {
      if (held.size === 0 || clock.monotonic() < dueAt) return;
      await store.write((tx) => renewStarts(tx, [...held], tx.now + rules.submitPatienceMs));
      dueAt = clock.monotonic() + everyMs;
    },
    renewAt: () => (held.size === 0 ? null : clock.now() + Math.max(0, Math.ceil(dueAt - clock.monotonic()))),
  };
}
