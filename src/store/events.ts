// The event log: numbered without gaps in the order of the commits.
import type { EventDraft } from "../domain/event.ts";
import type { NewId } from "../domain/id.ts";
import { nextTicks } from "./counters.ts";
import type { Db } from "./transaction.ts";

export async function appendEvents(db: Db, drafts: EventDraft[], now: number, newId: NewId): Promise<void> {
  // The counter's row is locked until the commit: whoever reads events never sees a higher number first.
  const last = await nextTicks(db, "events", drafts.length);
  const rows = drafts.map((draft, index) => ({
    seq: last - drafts.length + 1 + index,
    id: newId("evt"),
    type: draft.type,
    created_at: now,
    job_id: draft.jobId,
    run_id: draft.runId ?? null,
    execution_id: draft.executionId ?? null,
    data: JSON.stringify(draft.data),
  }));
  for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
    await db
      .insertInto("events")
      .values(rows.slice(from, from + ROWS_AT_ONCE))
      .execute();
  }
}

const ROWS_AT_ONCE = 500;
