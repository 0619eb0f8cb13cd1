// Recover: what the former process knew and this one must, before it begins to work.
import { pauseDetail, type StartPause } from "../domain/start-pause.ts";
import type { RateLimiter } from "../lyceum/rate-limiter.ts";
import type { Context } from "../orchestration/context.ts";
import { expireUnansweredStarts, staggerChecks } from "../store/execution-claims.ts";
import { hasUnansweredStarts, submissionsSince } from "../store/executions.ts";
import { readPauses, savePause } from "../store/rate-limit-pauses.ts";
import { readStartPause, saveStartPause } from "../store/start-pause.ts";
import type { StartGate } from "./start-gate.ts";

export interface RecoverOptions {
  throttle: RateLimiter;
  gate: StartGate;
  /** Of the limit on starts; null without one. */
  startWindowMs: number | null;
  /** The longest time that a start may take. */
  startMs: number;
  now: number;
}

/** The start limit's past, the pauses, and the work that a dead process left claimed or unanswered. */
export async function recover(
  context: Context,
  { throttle, gate, startWindowMs, startMs, now }: RecoverOptions,
): Promise<void> {
  const { store, report } = context;
  const sentAt =
    startWindowMs === null ? [] : await submissionsSince(store.db, now - startWindowMs - startMs);
  // Lyceum may have counted a start as late as its answer: one that was just sent counts from now.
  const startedAt = sentAt.map((at) => Math.min(at + startMs, now));
  const pauses = await readPauses(store.db, now);
  throttle.restore({
    startedAt,
    pauses: pauses.map(({ group, until }) => ({ group: group as "execution", until })),
  });
  throttle.onPause((pause) => {
    store.write((tx) => savePause(tx.db, pause, tx.now)).catch((error) => report.fault("pause", error));
  });
  await recoverGate(context, gate, now);
  await store.write(async (tx) => {
    // Callbacks may have come while nobody listened. What an instance has claimed is its own, or due again soon after its
    // death.
    if (store.kind !== "sqlite") return staggerChecks(tx.db, tx.now, "unheld");
    // A SQLite file has one process: nobody waits any more for the starts that it finds unanswered, or holds leases.
    await staggerChecks(tx.db, tx.now, "open");
    await expireUnansweredStarts(tx.db, tx.now);
  });
}

/** The pause of all starts goes on. If starts were under way when the former process ended, the next one goes alone. */
async function recoverGate({ store, report }: Context, gate: StartGate, now: number): Promise<void> {
  gate.onChange((pause, before) => report.startsPaused(pause, before));
  const kept = await readStartPause(store.db, now);
  if (kept !== null) gate.restore(kept);
  else if (await hasUnansweredStarts(store.db)) gate.restore(cautious(now));
  let saving = Promise.resolve();
  gate.onChange((pause) => {
    const save = () => store.write((tx) => saveStartPause(tx.db, pause, tx.now));
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
