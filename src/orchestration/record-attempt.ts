// Records an attempt to deliver: the new states of the delivery and of its webhook, in one transaction.
import { afterAttempt, hasArrived, type Outcome, type Verdict } from "../domain/delivery.ts";
import type { Tx } from "../store/db/transaction.ts";
import { type Attempt, type DeliveryRow, findDelivery, readLog, saveDelivery } from "../store/deliveries.ts";
import { disableWebhook, markArrived, markFailing } from "../store/webhooks.ts";
import type { Context } from "./context.ts";

export type Tried = Outcome & Attempt;

/** @param delivery as claimed */
export async function recordAttempt(context: Context, delivery: DeliveryRow, tried: Tried): Promise<void> {
  const attempts = delivery.attempts + 1;
  const recorded = await context.store.write(async (tx) => {
    const row = await findDelivery(tx.db, delivery.id);
    // Deleted with its webhook or redelivered meanwhile: this attempt no longer counts.
    if (row === null || row.attempts !== delivery.attempts) return null;
    const firstTriedAt = row.first_tried_at ?? tried.at;
    const verdict = afterAttempt(attempts, tried, context.random());
    const judged = await judge(tx, { ...row, first_tried_at: firstTriedAt }, verdict, tried);
    const { at, durationMs, status, error } = tried;
    const log = [...readLog(row.log), { at, durationMs, status, error }].slice(-MAX_LOGGED);
    await saveDelivery(tx.db, row.id, {
      ...columnsOf(judged.verdict, tx.now),
      attempts,
      first_tried_at: firstTriedAt,
      log: JSON.stringify(log),
    });
    if (judged.verdict.state === "pending") tx.wake("deliver", tx.now + judged.verdict.retryInMs);
    return judged;
  });
  if (recorded === null) return;
  const { id: deliveryId, webhook_id: webhookId, job_id: jobId } = delivery;
  const { status, error, durationMs } = tried;
  const outcome = recorded.verdict.state === "pending" ? "retried" : recorded.verdict.state;
  context.report.delivery({ deliveryId, webhookId, jobId, attempts, outcome, status, error, durationMs });
  if (recorded.disabled)
    context.report.webhookDisabled({ webhookId: webhookId ?? "", reason: recorded.disabled });
}

/** Two full rounds of attempts. */
const MAX_LOGGED = 24;

interface Judged {
  verdict: Verdict;
  disabled: "exhausted" | "gone" | null;
}

/** The webhook's state may change the delivery's verdict. */
async function judge(tx: Tx, delivery: DeliveryRow, verdict: Verdict, tried: Tried): Promise<Judged> {
  const { webhook_id: id, first_tried_at: firstTriedAt } = delivery;
  if (id === null) return { verdict, disabled: null };
  if (hasArrived(tried)) {
    await markArrived(tx.db, id);
    return { verdict, disabled: null };
  }
  const { failingSince, isDisabled } = await markFailing(tx.db, id, tried.at);
  if (isDisabled) return { verdict: { state: "failed", reason: "webhook_disabled" }, disabled: null };
  if (verdict.state !== "failed" || verdict.reason === "webhook_disabled") return { verdict, disabled: null };
  // This delivery has failed for a day. If no other arrived meanwhile, the subscriber is gone.
  const isDead = verdict.reason === "gone" || failingSince <= (firstTriedAt ?? tried.at);
  const webhook = isDead ? await disableWebhook(tx.db, id, verdict.reason, tx.now) : null;
  if (webhook === null) return { verdict, disabled: null };
  tx.emit({
    type: "webhook.disabled",
    jobId: delivery.job_id,
    owner: webhook.api_key,
    data: { webhook_id: id, reason: verdict.reason, failing_since: new Date(failingSince).toISOString() },
  });
  return { verdict, disabled: verdict.reason };
}

function columnsOf(verdict: Verdict, now: number) {
  if (verdict.state === "pending")
    return { state: verdict.state, reason: null, due_at: now + verdict.retryInMs, ended_at: null };
  const reason = verdict.state === "failed" ? verdict.reason : null;
  return { state: verdict.state, reason, due_at: null, ended_at: now };
}
