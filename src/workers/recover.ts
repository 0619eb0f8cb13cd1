// Restores the limits, pauses and claims of the former process before the workers begin.
import { pauseDetail, type StartPause } from "../domain/start-pause.ts";
import type { RateLimiter } from "../lyceum/rate-limiter.ts";
import type { Context } from "../orchestration/context.ts";
import { expireUnansweredStarts, staggerChecks } from "../store/execution-claims.ts";
import { hasUnansweredStarts, submissionsSince } from "../store/executions.ts";
import { readPauses, savePause } from "../store/rate-limit-pauses.ts";
import { readStartPause, saveStartPause } from "../store/start-pause.ts";
import type { StartGate } from "./start-gate.ts";

export interface RecoverOptions {
  rateLimiter: RateLimiter;
  gate: StartGate;
  /** Null: no limit. */
  startWindowMs: number | null;
  startMs: number;
  now: number;
}

export async function recover(
  context: Context,
  { rateLimiter, gate, startWindowMs, startMs, now }: RecoverOptions,
): Promise<void> {
  const { store, report } = context;
  const sentAt =
    startWindowMs === null ? [] : await submissionsSince(store.db, now - startWindowMs - startMs);
  // Lyceum may count a start as late as its answer: a start that was just sent counts from now.
  const startedAt = sentAt.map((at) => Math.min(at + startMs, now));
  rateLimiter.restoreStarts(startedAt);
  rateLimiter.heed(await readPauses(store.db, now));
  rateLimiter.onPause((pause) => {
    const saving = store.write(async (tx) => {
      await savePause(tx.db, pause, tx.now);
      tx.wake("pauses", tx.now);
    });
    saving.catch((error) => report.fault("pause", error));
  });
  await recoverGate(context, gate, now);
  await store.write(async (tx) => {
    // Callbacks may have been missed. Claims of an instance are its own, or come due again soon after its death.
    if (store.kind !== "sqlite") return staggerChecks(tx.db, tx.now, "unheld");
    // A SQLite file has one process: unanswered starts and leases in it belong to a dead process.
    await staggerChecks(tx.db, tx.now, "open");
    await expireUnansweredStarts(tx.db, tx.now);
  });
}

/** If starts were under way when the former process ended, the next goes alone. */
async function recoverGate({ store, report }: Context, gate: StartGate, now: number): Promise<void> {
  gate.onChange((pause, before) => report.startsPaused(pause, before));
  const kept = await readStartPause(store.db, now);
  if (kept !== null) gate.restore(kept, true);
  else if (await hasUnansweredStarts(store.db)) gate.restore(cautious(now), false);
  let saving = Promise.resolve();
  gate.onChange((pause, _before, isOwn) => {
    if (!isOwn) return;
    const save = () =>
      store.write(async (tx) => {
        await saveStartPause(tx.db, pause, tx.now);
        tx.wake("pauses", tx.now);
      });
    saving = saving.then(save).catch((error) => report.fault("pause", error));
  });
}

function cautious(now: number): StartPause {
  return {
    reason: "restarted",
    detail: pauseDetail("restarted", null),
    since: now,
    failures: 0,
    probeAt: now,
  };
}
