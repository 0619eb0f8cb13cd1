// From events to deliveries, in the transaction of the events: whoever is to hear of one has a row that says so.
import { isJobEnd } from "../domain/event.ts";
import { matchesType, payloadOf } from "../domain/webhook.ts";
import type { NewId } from "../lib/id.ts";
import type { DeliveriesTable } from "./db/schema.ts";
import { insertRows } from "./db/statements.ts";
import type { Db } from "./db/transaction.ts";
import type { Appended } from "./events.ts";
import { enabledWebhooks } from "./webhooks.ts";

/** Answers whether anybody is to hear of these events. */
export async function enqueueDeliveries(
  db: Db,
  { events, hasSubscribers }: { events: Appended[]; hasSubscribers: boolean },
  newId: NewId,
): Promise<boolean> {
  // Nobody listens to most events: they cost nothing more than this.
  const told = hasSubscribers ? events : events.filter((event) => isJobEnd(event.type));
  if (told.length === 0) return false;
  const jobs = await jobsOf(db, told);
  const subscriptions = hasSubscribers ? await readSubscriptions(db) : [];

  const notices = told.flatMap((event) => {
    const job = jobs.get(event.job_id);
    const listeners = [
      ...subscriptions.filter(concerns(event, event.owner ?? job?.api_key)).map(({ listener }) => listener),
      ...(isJobEnd(event.type) ? ownListener(job?.webhook_url ?? null) : []),
    ];
    if (listeners.length === 0) return [];
    const notice = noticeOf(event);
    return listeners.map((listener) => ({ ...notice, ...listener, id: newId("dlv") }));
  });
  await insertRows(db, "deliveries", notices);
  return notices.length > 0;
}

type Listener = Pick<DeliveriesTable, "webhook_id" | "lane" | "url">;
type Subscription = Awaited<ReturnType<typeof readSubscriptions>>[number];

async function readSubscriptions(db: Db) {
  return (await enabledWebhooks(db)).map(({ id, url, types, all_jobs, api_key }) => {
    const listener: Listener = { webhook_id: id, lane: id, url };
    return { listener, types: JSON.parse(types) as string[], hearsAll: all_jobs === 1, owner: api_key };
  });
}

function concerns({ type }: Appended, owner: string | undefined): (subscription: Subscription) => boolean {
  return (one) => (one.hearsAll || one.owner === owner) && matchesType(one.types, type);
}

function ownListener(url: string | null): Listener[] {
  return url === null ? [] : [{ webhook_id: null, lane: new URL(url).origin, url }];
}

async function jobsOf(db: Db, events: Appended[]) {
  const ids = [...new Set(events.map((event) => event.job_id))];
  const jobs = await db
    .selectFrom("jobs")
    .select(["id", "api_key", "webhook_url"])
    .where("id", "in", ids)
    .execute();
  return new Map(jobs.map((job) => [job.id, job]));
}

function noticeOf(event: Appended): Omit<DeliveriesTable, "id" | keyof Listener> {
  return {
    job_id: event.job_id,
    event_id: event.id,
    type: event.type,
    payload: payloadOf(event),
    state: "pending",
    reason: null,
    due_at: event.created_at,
    attempts: 0,
    first_tried_at: null,
    log: "[]",
    created_at: event.created_at,
    ended_at: null,
    claimed_by: null,
  };
}
