// Helpers for tests of deliveries: the worker on a manual clock, subscribers, and names that resolve as the test
// says.
import { onTestFinished } from "vitest";
import type { Context } from "../../src/orchestration/context.ts";
import { createWebhook } from "../../src/orchestration/webhooks.ts";
import { type DeliveryRow, readLog } from "../../src/store/deliveries.ts";
import { createDeliver, type DeliverOptions } from "../../src/workers/deliver/deliver.ts";
import { destinationFinder, type Resolve } from "../../src/workers/deliver/destination.ts";
import type { Database } from "../support/databases.ts";
import { type Receiver, type Reply, startReceiver } from "../support/receiver.ts";
import { contextOf } from "../support/scene.ts";

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const jobSecret = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;

/** No names but these: what is looked up is what the test says. */
const nothing: Resolve = () => Promise.reject(new Error("ENOTFOUND"));

export type Scene = ReturnType<typeof sceneOf>;

export function sceneOf(
  database: Database,
  options: Partial<DeliverOptions> & { resolve?: Resolve; allow?: string[] } = {},
) {
  const { store, time } = database;
  const { resolve = nothing, allow = ["127.0.0.0/8"], ...rest } = options;
  const context = contextOf(database);
  const worker = createDeliver(context, {
    findDestination: destinationFinder({ allowPrivate: allow, timers: time, resolve }),
    secret: jobSecret,
    clock: time,
    timers: time,
    onCapacity: () => {},
    ...rest,
  });
  const deliveries = (): Promise<DeliveryRow[]> =>
    store.db.selectFrom("deliveries").selectAll().orderBy("id").execute();
  return {
    context,
    time,
    store,
    worker,
    deliveries,
    /** Does all that is due; answers when to come back. */
    async work() {
      const next = await worker.runOnce();
      await worker.idle();
      return next;
    },
    async sole(): Promise<DeliveryRow> {
      const [delivery, ...rest] = await deliveries();
      if (delivery === undefined || rest.length > 0)
        throw new Error(`not one delivery but ${rest.length + 1}`);
      return delivery;
    },
    events: () =>
      store.db
        .selectFrom("events")
        .select(["type", "job_id", "data"])
        .where("type", "like", "webhook%")
        .execute(),
  };
}

export async function receiverOf(reply?: Reply): Promise<Receiver> {
  const receiver = await startReceiver(reply);
  onTestFinished(receiver.stop);
  return receiver;
}

export async function subscribe(context: Context, url: string, types = ["job.created"]) {
  const created = await createWebhook(context, { apiKey: "ann", allJobs: false, url, types, secret: null });
  if (created === null) throw new Error("no room for a webhook");
  return { id: created.webhook.id, secret: created.secret };
}

export const lastError = (delivery: DeliveryRow) => readLog(delivery.log).at(-1)?.error;
