// Receives callbacks: appends them to the inbox as they came, without a look at their executions. The row is the wake-up:
// the reconciler files it (file-callbacks.ts).

import type { Append } from "../store/db/transaction.ts";
import { appendToInbox } from "../store/inbox.ts";
import type { Context } from "./context.ts";

export interface Callback {
  executionId: string;
  contentType: string | null;
  contentEncoding?: string | null;
  body: Buffer;
  /** The body was longer than the stored part. */
  truncated: boolean;
}

/** Resolves once the callback is durable. Lyceum ends many runs at once, so callbacks are stored in batches. */
export function receiveCallback({ store }: Context, callback: Callback): Promise<void> {
  return store.batchAppend(appendAll, callback);
}

async function appendAll({ db, now, newId, wake }: Append, callbacks: Callback[]): Promise<undefined[]> {
  await appendToInbox(
    db,
    callbacks.map((callback) => toRow(callback, newId("cbk"), now)),
  );
  wake("reconcile", now);
  return callbacks.map(() => undefined);
}

function toRow(
  { executionId, contentType, contentEncoding, body, truncated }: Callback,
  id: string,
  receivedAt: number,
) {
  return {
    id,
    execution_id: executionId,
    received_at: receivedAt,
    content_type: contentType?.slice(0, 255) ?? null,
    content_encoding: contentEncoding?.slice(0, 255) ?? null,
    body,
    truncated: truncated ? 1 : 0,
  };
}
