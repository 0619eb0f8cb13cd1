// Writes deliveries in the transaction of their events: one row per event and subscriber.
import { isJobEnd } from "../domain/event.ts";
import { matchesType, payloadOf } from "../domain/webhook.ts";
import type { NewId } from "../lib/id.ts";
import { insertRows } from "./db/rows.ts";
import type { DeliveriesTable } from "./db/schema-webhooks.ts";
import type { Db } from "./db/transaction.ts";
import { type AppendedEvent, eventId } from "./events.ts";
import { enabledWebhooks } from "./webhooks.ts";

export async function enqueueDeliveries(
  db: Db,
  { events, hasSubscribers }: { events: AppendedEvent[]; hasSubscribers: boolean },
  newId: NewId,
): Promise<boolean> {
  // Most events have no subscriber and cost no query.
  const candidates = hasSubscribers ? events : events.filter((event) => isJobEnd(event.type));
  if (candidates.length === 0) return false;
  const jobs = await jobsOf(db, candidates);
  const subscriptions = hasSubscribers ? await readSubscriptions(db) : [];

  const deliveries = candidates.flatMap((event) => {
    const job = jobs.get(event.job_id);
    const destinations = [
      ...subscriptions
        .filter(matches(event, event.owner ?? job?.api_key))
        .map(({ destination }) => destination),
      ...(isJobEnd(event.type) ? jobDestination(job?.webhook_url ?? null) : []),
    ];
    if (destinations.length === 0) return [];
    const delivery = deliveryOf(event);
    return destinations.map((destination) => ({ ...delivery, ...destination, id: newId("dlv") }));
  });
  await insertRows(db, "deliveries", deliveries);
  return deliveries.length > 0;
}

type Destination = Pick<DeliveriesTable, "webhook_id" | "destination" | "url">;
type Subscription = Awaited<ReturnType<typeof readSubscriptions>>[number];

async function readSubscriptions(db: Db) {
  return (await enabledWebhooks(db)).map(({ id, url, types, all_jobs, api_key }) => {
    const destination: Destination = { webhook_id: id, destination: id, url };
    return {
      destination,
      types: JSON.parse(types) as string[],
      isForAllJobs: all_jobs === 1,
      owner: api_key,
    };
  });
}

function matches(
  { type }: AppendedEvent,
  owner: string | undefined,
): (subscription: Subscription) => boolean {
  return (subscription) =>
    (subscription.isForAllJobs || subscription.owner === owner) && matchesType(subscription.types, type);
}

function jobDestination(url: string | null): Destination[] {
  return url === null ? [] : [{ webhook_id: null, destination: new URL(url).origin, url }];
}

async function jobsOf(db: Db, events: AppendedEvent[]) {
  const ids = [...new Set(events.map((event) => event.job_id))];
  const jobs = await db
    .selectFrom("jobs")
    .select(["id", "api_key", "webhook_url"])
    .where("id", "in", ids)
    .execute();
  return new Map(jobs.map((job) => [job.id, job]));
}

function deliveryOf(event: AppendedEvent): Omit<DeliveriesTable, "id" | keyof Destination> {
  const id = eventId(event);
  return {
    job_id: event.job_id,
    event_id: id,
    type: event.type,
    payload: payloadOf({ ...event, id }),
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
