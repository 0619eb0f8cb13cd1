// The shared tail: one look for all who wait, wake-ups only for those concerned, and none that is lost.
import { Hono } from "hono";
import { expect, test } from "vitest";
import { createEventFeed, type Subscription, type Tail, topics } from "../../../src/http/events/feed.ts";
import { waitForEnd } from "../../../src/http/events/long-poll.ts";
import type { AppContext, Env, RequestContext } from "../../../src/http/request-context.ts";
import type { JobRow } from "../../../src/store/jobs.ts";
import { type Database, eachDatabase, onSqlite } from "../../support/databases.ts";
import { contextOf, ended, jobNow, live, read, submitted, tell } from "../../support/scene.ts";

function tailOf({ store, time }: Pick<Database, "store" | "time">, most = 10): Tail {
  return createEventFeed({ store, now: () => time.now(), most, onNeed: () => {} });
}

function subscribed(tail: Tail, topic: string): Subscription {
  const subscription = tail.subscribe(topic);
  if (subscription === null) throw new Error("no room");
  return subscription;
}

/** Whether it has been woken: asked without waiting. */
async function isWoken(subscription: Subscription): Promise<boolean> {
  const answer = await Promise.race([subscription.next(), new Promise((resolve) => setImmediate(resolve))]);
  return answer === true;
}

eachDatabase("the tail", (open, kind) => {
  test("wakes those whom an event concerns, and nobody else", async () => {
    const database = await open();
    const context = contextOf(database);
    const [anns, bobs] = [await submitted(context, 1), await submitted(context, 1, {}, { apiKey: "bob" })];
    const tail = tailOf(database);
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
    for (const topic of all) void listen(topic, subscribed(tail, topic));
    const look = async () => {
      woken.length = 0;
      await tail.look();
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

  test("hears of another instance's commits, where there may be one, by looking once a second", async () => {
    const database = await open();
    const other = { ...database, store: database.connect() };
    const context = contextOf(other);
    const job = await submitted(context, 1);
    const tail = tailOf(database);
    const subscription = subscribed(tail, topics.endOf(job.id));
    const nextAt = await tail.look();
    expect(nextAt).toBe(kind === "postgres" ? database.time.now() + 1_000 : null);
    expect(await subscription.next()).toBe(true);
    await ended(context, "completed");
    await tail.look();
    expect(await subscription.next()).toBe(true);
  });

  test.each(["end", "outcome"] as const)(
    "an %s between the look and the wait is not lost",
    async (awaited) => {
      const database = await open();
      const context = contextOf(database);
      const { id } = await submitted(context, 1);
      const tail = tailOf(database);
      const desk = { tail, timers: database.time } as unknown as AppContext;
      const call = { req: { raw: { signal: new AbortController().signal } } } as unknown as RequestContext;
      let looks = 0;
      const look = async () => {
        const seen = await jobNow(database.store, id);
        looks += 1;
        // Committed and told of after this look was begun, before its answer is there.
        if (looks === 1) {
          await tail.look();
          const { execution } = await live(context);
          await tell(context, execution.id, read("completed"));
          if (awaited === "end") await tell(context, execution.id, { type: "collected" });
          await tail.look();
        }
        return seen;
      };
      const isDecided = ({ queued, active }: JobRow) => queued + active === 0;
      const answer = await waitForEnd(call, desk, { id, waitMs: 60_000, awaited, look, isDecided });
      expect(answer).toMatchObject({ id, status: awaited === "end" ? "succeeded" : "active" });
      expect(looks).toBe(2);
      expect(database.time.waiting()).toBe(0);
    },
  );
});

onSqlite("the tail's bounds", (open) => {
  test("so many may wait; the next one is turned away until one has gone", async () => {
    const tail = tailOf(await open(), 2);
    const first = subscribed(tail, "a");
    subscribed(tail, "b");
    expect(tail.subscribe("a")).toBeNull();
    first.end();
    first.end();
    subscribed(tail, "a");
    expect(tail.subscribe("a")).toBeNull();
  });

  test("a wait for which there is no room is answered 503, with when to come back", async () => {
    const tail = tailOf(await open(), 0);
    const app = new Hono<Env>();
    app.get("/", async (c) => {
      const wait = { waitMs: 1, awaited: "end", look: async () => null, isDecided: () => false } as const;
      const answer = await waitForEnd(c, { tail } as AppContext, { id: "job_1", ...wait });
      return answer instanceof Response ? answer : c.body(null, 500);
    });
    const answer = await app.request("/");
    expect(answer.status).toBe(503);
    expect(answer.headers.get("Retry-After")).toBe("5");
    expect(await answer.json()).toMatchObject({ type: "urn:proctor:problem:too-many-waiting" });
  });

  test("nothing is read while nobody waits, and who comes then is told to look", async () => {
    const database = await open();
    let needs = 0;
    const tail = createEventFeed({
      store: database.store,
      now: () => 0,
      most: 10,
      onNeed: () => void needs++,
    });
    await submitted(contextOf(database), 1);
    expect(await tail.look()).toBeNull();
    const first = subscribed(tail, topics.everything);
    expect(needs).toBe(1);
    await tail.look();
    expect(await first.next()).toBe(true);
    subscribed(tail, topics.everything);
    expect(needs).toBe(1);
    expect(await isWoken(first)).toBe(false);
  });

  test("once it is closed, all are over, whenever they come", async () => {
    const tail = tailOf(await open());
    const early = subscribed(tail, "a");
    const waiting = early.next();
    tail.close();
    expect(await waiting).toBe(false);
    expect(await subscribed(tail, "a").next()).toBe(false);
  });

  test("a look over many events goes on until it is through", async () => {
    const database = await open();
    const tail = tailOf(database);
    const subscription = subscribed(tail, topics.everything);
    await tail.look();
    await submitted(contextOf(database), 1_500);
    expect(await tail.look()).toBe(database.time.now());
    expect(await tail.look()).toBeNull();
    expect(await subscription.next()).toBe(true);
  });
});
