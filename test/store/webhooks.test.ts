// From events to deliveries: who hears of what, in the same transaction, and how long it is kept.
import type { Updateable } from "kysely";
import { expect, test } from "vitest";
import type { EventDraft } from "../../src/domain/event.ts";
import { createWebhook, MAX_WEBHOOKS, rotateWebhook } from "../../src/orchestration/webhooks.ts";
import type { Schema } from "../../src/store/db/schema.ts";
import type { Topic } from "../../src/store/db/transaction.ts";
import { deleteDeliveries, saveDelivery } from "../../src/store/deliveries.ts";
import { eventId } from "../../src/store/events.ts";
import type { Store } from "../../src/store/store.ts";
import { demoteWebhooks, disableWebhook, findWebhook, rotateSecret } from "../../src/store/webhooks.ts";
import { createRetention } from "../../src/workers/retention.ts";
import { eachDatabase, onPostgres } from "../support/databases.ts";
import { overtaken } from "../support/locks.ts";
import { contextOf, ended, removed, submitted } from "../support/scene.ts";

const url = "https://hook.example/";
const deliveriesOf = (store: Store) => store.db.selectFrom("deliveries").selectAll().orderBy("id").execute();
const told = async (store: Store) => (await deliveriesOf(store)).map((one) => [one.webhook_id, one.type]);

eachDatabase("events and their deliveries", (open) => {
  test("events and their deliveries are one transaction: both are there, or neither", async () => {
    const { store, ...rest } = await open();
    const context = contextOf({ store, ...rest });
    await subscribed("ann", ["*"]);
    const woken: Topic[] = [];
    store.onCommit((topic) => void woken.push(topic));
    const draft: EventDraft = { type: "job.created", jobId: (await submitted(context, 1)).id, data: {} };
    const before = await deliveriesOf(store);
    expect(before.map((one) => one.type)).toEqual(["job.created", "run.queued"]);
    expect(woken).toContain("deliver");
    const failing = store.write(async (tx) => {
      tx.emit(draft);
      await tx.db.insertInto("counters").values({ name: "events", value: 1 }).execute();
    });
    await expect(failing).rejects.toThrow(/unique/i);
    expect(await deliveriesOf(store)).toEqual(before);
    const events = await store.db.selectFrom("events").select(["created_at", "seq"]).orderBy("seq").execute();
    expect(before.map((one) => one.event_id)).toEqual(events.map(eventId));

    async function subscribed(apiKey: string, types: string[]) {
      await createWebhook(context, { apiKey, allJobs: false, url, types, secret: null });
    }
  });

  test("events and their deliveries reach a submitter's webhooks for its own jobs, an administrator's for all, each for its types", async () => {
    const database = await open();
    const context = contextOf(database);
    const make = async (apiKey: string, allJobs: boolean, types: string[]) =>
      (await createWebhook(context, { apiKey, allJobs, url, types, secret: null }))?.webhook.id;
    const ann = await make("ann", false, ["job.created"]);
    const bob = await make("bob", false, ["job.*"]);
    const admin = await make("root", true, ["job.created", "run.succeeded"]);
    await submitted(context, 1);
    expect(await told(database.store)).toEqual([
      [ann, "job.created"],
      [admin, "job.created"],
    ]);
    await submitted(context, 1, {}, { apiKey: "bob" });
    expect((await told(database.store)).slice(2)).toEqual([
      [bob, "job.created"],
      [admin, "job.created"],
    ]);
  });

  test("an event about a webhook reaches its owner, whoever's job it was, and administrators", async () => {
    const database = await open();
    const context = contextOf(database);
    for (const [apiKey, allJobs] of [
      ["ann", false],
      ["bob", false],
      ["root", true],
    ] as const)
      await createWebhook(context, { apiKey, allJobs, url, types: ["webhook.disabled"], secret: null });
    const { id } = await submitted(context, 1);
    await database.store.write(async (tx) =>
      tx.emit({ type: "webhook.disabled", jobId: id, owner: "bob", data: {} }),
    );
    const hearing = await database.store.db
      .selectFrom("deliveries")
      .innerJoin("webhooks", "webhooks.id", "deliveries.webhook_id")
      .select("webhooks.api_key")
      .orderBy("deliveries.id")
      .execute();
    expect(hearing.map((one) => one.api_key)).toEqual(["bob", "root"]);
  });

  test("events and their deliveries do not reach a disabled webhook, and none is written where nobody listens", async () => {
    const database = await open();
    const context = contextOf(database);
    await submitted(context, 1);
    const created = await createWebhook(context, {
      apiKey: "ann",
      allJobs: false,
      url,
      types: ["*"],
      secret: null,
    });
    await database.store.write((tx) => disableWebhook(tx.db, created?.webhook.id ?? "", "gone", tx.now));
    await submitted(context, 1);
    expect(await told(database.store)).toEqual([]);
  });

  test("events and their deliveries of a job with many runs are written for each of them", async () => {
    const database = await open();
    const context = contextOf(database);
    await createWebhook(context, { apiKey: "ann", allJobs: false, url, types: ["run.queued"], secret: null });
    await submitted(context, 1_200);
    expect(await told(database.store)).toHaveLength(1_200);
  });

  test("events and their deliveries outlive the job while they are still to be made, and go with it or by age when they are over", async () => {
    const database = await open();
    const { store, time } = database;
    const context = contextOf(database);
    await createWebhook(context, {
      apiKey: "ann",
      allJobs: false,
      url,
      types: ["job.created", "job.succeeded"],
      secret: null,
    });
    const job = await submitted(context, 1);
    await ended(context, "completed");
    const [created, succeeded] = await deliveriesOf(store);
    const over = (now: number) => ({ state: "delivered" as const, due_at: null, ended_at: now });
    await saveDelivery(store.db, created?.id ?? "", over(time.now()));
    await removed(store, job.id);
    expect((await deliveriesOf(store)).map((one) => one.id)).toEqual([succeeded?.id]);

    await saveDelivery(store.db, succeeded?.id ?? "", over(time.now()));
    const retention = createRetention(context, { retentionMs: 1_000, now: time.now, exportJobs: null });
    await retention.runOnce();
    expect(await deliveriesOf(store)).toHaveLength(1);
    time.pass(1_001);
    await retention.runOnce();
    expect(await deliveriesOf(store)).toEqual([]);
    expect(await deleteDeliveries(store.db, time.now(), 10)).toBe(0);
  });

  test("events and their deliveries are bounded by the number of webhooks that a key may have", async () => {
    const context = contextOf(await open());
    const make = (apiKey: string) =>
      createWebhook(context, { apiKey, allJobs: false, url, types: ["*"], secret: null });
    for (let count = 0; count < MAX_WEBHOOKS; count++) expect(await make("ann")).not.toBeNull();
    expect(await make("ann")).toBeNull();
    expect(await make("bob")).not.toBeNull();
  });
});

const impossible: { webhooks: Record<string, object>; deliveries: Record<string, object> } = {
  webhooks: {
    "a reason without being disabled": { disabled_reason: "gone" },
    "being disabled without a reason": { disabled_at: 1 },
    "a reason that is none": { disabled_at: 1, disabled_reason: "mood" },
  },
  deliveries: {
    "a state that is none": { state: "lost", due_at: null, ended_at: 1 },
    "a pending one without a wake-up": { due_at: null },
    "a wake-up for one that is over": { state: "delivered", ended_at: 1 },
    "an end of a pending one": { ended_at: 1 },
    "one that is over without an end": { state: "delivered", due_at: null },
    "a failure without a reason": { state: "failed", due_at: null, ended_at: 1 },
    "a reason without a failure": { reason: "gone" },
    "a reason that is none": { state: "failed", due_at: null, ended_at: 1, reason: "mood" },
    "one of no webhook": { webhook_id: "whk_2" },
  },
};

eachDatabase("the schema", (open) => {
  test.each(["webhooks", "deliveries"] as const)("refuses in %s what cannot be", async (table) => {
    const database = await open();
    const context = contextOf(database);
    await createWebhook(context, {
      apiKey: "ann",
      allJobs: false,
      url,
      types: ["job.created"],
      secret: null,
    });
    await submitted(context, 1);
    for (const [what, change] of Object.entries(impossible[table])) {
      const update = database.store.db.updateTable(table).set(change as Updateable<Schema[typeof table]>);
      await expect(update.execute(), what).rejects.toThrow(/constraint/i);
    }
  });
});

eachDatabase("a webhook that hears of every job", (open) => {
  test("a webhook that hears of every job hears of its own key's alone once that is no administrator's", async () => {
    const { store, newId, ...rest } = await open();
    const context = contextOf({ store, newId, ...rest });
    const of = (apiKey: string, allJobs: boolean) =>
      createWebhook(context, { apiKey, allJobs, url, types: ["job.created"], secret: null });
    const kept = await of("root", true);
    const demoted = await of("ann", true);
    await of("bob", false);
    expect(await demoteWebhooks(store.db, ["root", "carl"])).toEqual([demoted?.webhook.id]);
    expect(await demoteWebhooks(store.db, ["root"])).toEqual([]);
    await submitted(context, 1, {}, { apiKey: "carl" });
    expect(await told(store)).toEqual([[kept?.webhook.id, "job.created"]]);
    expect(await demoteWebhooks(store.db, [])).toEqual([kept?.webhook.id]);
  });
});

onPostgres("a secret", (open) => {
  test("a secret that was answered is kept, however many are made at once", async () => {
    const { store, newId, connect, ...rest } = await open();
    const context = contextOf({ store, newId, ...rest });
    const made = await createWebhook(context, {
      apiKey: "ann",
      allJobs: false,
      url,
      types: ["*"],
      secret: null,
    });
    const id = made?.webhook.id ?? "";
    await overtaken(
      { store, other: connect() },
      (tx) => rotateSecret(tx.db, id, "whsec_first", tx.now),
      () => rotateWebhook(context, id, "whsec_second"),
    );
    expect((await findWebhook(store.db, id, null))?.secrets).toMatch(/whsec_second.*whsec_first/);
  });
});
