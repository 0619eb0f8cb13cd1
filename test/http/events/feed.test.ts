// The shared feed: one look for all who wait, wake-ups only for those concerned, and none that is lost.
import { Hono } from "hono";
import { expect, test } from "vitest";
import { createEventFeed, type EventFeed, type Subscription, topics } from "../../../src/http/events/feed.ts";
import { waitForEnd } from "../../../src/http/events/long-poll.ts";
import type { AppContext, Env, RequestContext } from "../../../src/http/request-context.ts";
import type { JobRow } from "../../../src/store/jobs.ts";
import { type Database, eachDatabase, onSqlite } from "../../support/databases.ts";
import { contextOf, ended, jobNow, live, read, submitted, tell } from "../../support/scene.ts";

function feedOf({ store, time }: Pick<Database, "store" | "time">, maxSubscriptions = 10): EventFeed {
  return createEventFeed({ store, now: () => time.now(), maxSubscriptions, onFirst: () => {} });
}

function subscribed(feed: EventFeed, topic: string): Subscription {
  const subscription = feed.subscribe(topic);
  if (subscription === null) throw new Error("no room");
  return subscription;
}

/** True if the subscription has been woken; does not wait. */
async function isWoken(subscription: Subscription): Promise<boolean> {
  const answer = await Promise.race([subscription.next(), new Promise((resolve) => setImmediate(resolve))]);
  return answer === true;
}

eachDatabase("the feed", (open, kind) => {
  test("an event wakes the subscribers that it concerns, and no others", async () => {
    const database = await open();
    const context = contextOf(database);
    const [anns, bobs] = [await submitted(context, 1), await submitted(context, 1, {}, { apiKey: "bob" })];
    const feed = feedOf(database);
    const all = [
      topics.everything,
      topics.key("ann"),
      topics.key("bob"),
      topics.job(anns.id),
      topics.job(bobs.id),
      topics.endOf(anns.id),
      topics.endOf(bobs.id),
      topics.outcomeOf(anns.id),
      topics.outcomeOf(bobs.id),
    ];
    const woken: string[] = [];
    const listen = async (topic: string, subscription: Subscription) => {
      while (await subscription.next()) woken.push(topic);
    };
    for (const topic of all) void listen(topic, subscribed(feed, topic));
    const look = async () => {
      woken.length = 0;
      await feed.poll();
      await new Promise(setImmediate);
      return all.filter((topic) => woken.includes(topic));
    };
    expect(await look()).toEqual(all);
    expect(await look()).toEqual([]);
    const { run } = await live(context);
    expect(run.jobId).toBe(anns.id);
    expect(await look()).toEqual([topics.everything, topics.key("ann"), topics.job(anns.id)]);
    const { execution } = await live(context);
    await look();
    await tell(context, execution.id, read("completed"));
    const ofBob = [topics.everything, topics.key("bob"), topics.job(bobs.id)];
    expect(await look()).toEqual([...ofBob, topics.outcomeOf(bobs.id)]);
    await tell(context, execution.id, { type: "collected" });
    expect(await look()).toEqual([...ofBob, topics.endOf(bobs.id), topics.outcomeOf(bobs.id)]);
  });

  test("the feed polls once a second for commits of other instances, if there may be any", async () => {
    const database = await open();
    const other = { ...database, store: database.connect() };
    const context = contextOf(other);
    const job = await submitted(context, 1);
    const feed = feedOf(database);
    const subscription = subscribed(feed, topics.endOf(job.id));
    const nextAt = await feed.poll();
    expect(nextAt).toBe(kind === "postgres" ? database.time.now() + 1_000 : null);
    expect(await subscription.next()).toBe(true);
    await ended(context, "completed");
    await feed.poll();
    expect(await subscription.next()).toBe(true);
  });

  test.each(["end", "outcome"] as const)(
    "an %s between the read and the wait is not lost",
    async (awaited) => {
      const database = await open();
      const context = contextOf(database);
      const current = await submitted(context, 1);
      const { id } = current;
      const feed = feedOf(database);
      const appContext = { feed, timers: database.time } as unknown as AppContext;
      const call = { req: { raw: { signal: new AbortController().signal } } } as unknown as RequestContext;
      let looks = 0;
      const look = async () => {
        const seen = await jobNow(database.store, id);
        looks += 1;
        // Committed and told of after this look was begun, before its answer is there.
        if (looks === 1) {
          await feed.poll();
          const { execution } = await live(context);
          await tell(context, execution.id, read("completed"));
          if (awaited === "end") await tell(context, execution.id, { type: "collected" });
          await feed.poll();
        }
        return seen;
      };
      const isDecided = ({ queued, active }: JobRow) => queued + active === 0;
      const answer = await waitForEnd(call, appContext, {
        current,
        waitMs: 60_000,
        awaited,
        read: look,
        isDecided,
      });
      expect(answer).toMatchObject({ id, status: awaited === "end" ? "succeeded" : "active" });
      expect(looks).toBe(2);
      expect(database.time.waiting()).toBe(0);
    },
  );
});

onSqlite("the feed's bounds", (open) => {
  test("above the limit of waits a subscriber is refused until another one leaves", async () => {
    const feed = feedOf(await open(), 2);
    const first = subscribed(feed, "a");
    subscribed(feed, "b");
    expect(feed.subscribe("a")).toBeNull();
    first.end();
    first.end();
    subscribed(feed, "a");
    expect(feed.subscribe("a")).toBeNull();
  });

  test("a wait above the limit is answered 503 with Retry-After", async () => {
    const feed = feedOf(await open(), 0);
    const app = new Hono<Env>();
    app.get("/", async (c) => {
      const wait = { waitMs: 1, awaited: "end", read: async () => null, isDecided: () => false } as const;
      const answer = await waitForEnd(c, { feed } as AppContext, {
        current: { id: "job_1", ended_at: null },
        ...wait,
      });
      return answer instanceof Response ? answer : c.body(null, 500);
    });
    const answer = await app.request("/");
    expect(answer.status).toBe(503);
    expect(answer.headers.get("Retry-After")).toBe("5");
    expect(await answer.json()).toMatchObject({ type: "urn:proctor:problem:too-many-waiting" });
  });

  test("nothing is read without subscribers, and the next subscriber is told to read", async () => {
    const database = await open();
    let needs = 0;
    const feed = createEventFeed({
      store: database.store,
      now: () => 0,
      maxSubscriptions: 10,
      onFirst: () => void needs++,
    });
    await submitted(contextOf(database), 1);
    expect(await feed.poll()).toBeNull();
    const first = subscribed(feed, topics.everything);
    expect(needs).toBe(1);
    await feed.poll();
    expect(await first.next()).toBe(true);
    subscribed(feed, topics.everything);
    expect(needs).toBe(1);
    expect(await isWoken(first)).toBe(false);
  });

  test("after the feed is closed all subscriptions have ended, later ones included", async () => {
    const feed = feedOf(await open());
    const early = subscribed(feed, "a");
    const waiting = early.next();
    feed.close();
    expect(await waiting).toBe(false);
    expect(await subscribed(feed, "a").next()).toBe(false);
  });

  test("a poll over many events continues until it has read all of them", async () => {
    const database = await open();
    const feed = feedOf(database);
    const subscription = subscribed(feed, topics.everything);
    await feed.poll();
    await submitted(contextOf(database), 1_500);
    expect(await feed.poll()).toBe(database.time.now());
    expect(await feed.poll()).toBeNull();
    expect(await subscription.next()).toBe(true);
  });
});
