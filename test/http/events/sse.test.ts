// Readers that do not read, or go away: the stream holds a place for them, and no more.
import { createServer, get, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { KyselyPlugin } from "kysely";
import { expect, test } from "vitest";
import { createEventFeed, topics } from "../../../src/http/events/feed.ts";
import { eventStream } from "../../../src/http/events/sse.ts";
import type { AppContext } from "../../../src/http/request-context.ts";
import { type Database, onSqlite } from "../../support/databases.ts";
import { withFaults } from "../../support/faults.ts";
import { contextOf, submitted } from "../../support/scene.ts";
import { until } from "../../support/service.ts";

onSqlite("a stream", (open) => {
  /** A stream of everything over HTTP, and how many pages it has read. */
  async function streaming({ store, time }: Database, isOver: boolean) {
    const read = { pages: 0 };
    const counting: KyselyPlugin = {
      transformQuery: ({ node }) => node,
      transformResult: async ({ result }) => {
        if (result.rows.some((row) => "execution_id" in row)) read.pages += 1;
        return result;
      },
    };
    const feed = createEventFeed({ store, now: () => time.now(), maxSubscriptions: 1, onFirst: () => {} });
    const subscription = feed.subscribe(topics.everything);
    if (subscription === null) throw new Error("no room");
    const appContext = {
      store: { ...store, db: store.db.withPlugin(counting) },
      timers: time,
      report: { fault() {} },
    } as unknown as AppContext;
    const reading = { filter: { owner: null }, after: 0, notes: [], isOver: async () => isOver };
    const server = createServer(
      getRequestListener(() => new Response(eventStream(appContext, subscription, reading))),
    );
    return { answer: await connect(server), read, subscription, server };
  }

  test("a slow reader gets its stream page by page, and the whole of it in the end", async () => {
    const database = await open();
    const events = 6 * 10_000;
    for (let jobs = 0; jobs < 6; jobs++) await submitted(contextOf(database), 9_999);
    const { answer, read, server } = await streaming(database, true);
    answer.pause();
    await settled(() => read.pages);
    const allPages = events / 100;
    expect(read.pages).toBeGreaterThan(0);
    expect(read.pages).toBeLessThan(allPages / 2);

    let text = "";
    for await (const part of answer.setEncoding("utf8")) text += part;
    const ids = [...text.matchAll(/^id: (\d+)\nevent/gm)].map(([, id]) => Number(id));
    expect(ids).toEqual(Array.from({ length: events }, (_, index) => index + 1));
    expect(read.pages).toBe(allPages);
    expect(database.time.waiting()).toBe(0);
    server.close();
  });

  test("an unavailable database ends the stream with a reason, and the reader resumes at its position", async () => {
    const database = await open();
    await submitted(contextOf(database), 3);
    const faulty = withFaults(database.store);
    // The first page was read by then.
    faulty.failAfter(1, "unread", 1_000);
    const { answer, server } = await streaming({ ...database, store: faulty.store }, false);
    let text = "";
    for await (const part of answer.setEncoding("utf8")) text += part;
    expect(text).toMatch(/^retry: 2000\nid: 0\n/);
    expect(text).toMatch(/: the database is unavailable; reconnect\nretry: 2000\n\n$/);
    server.close();
  });

  test("a reader that disconnects ends its stream, and nothing of it is left", async () => {
    const database = await open();
    const { answer, subscription, server } = await streaming(database, false);
    answer.resume();
    await until("the heartbeat's timer", () => database.time.waiting() === 1);
    expect(subscription.isOver).toBe(false);
    answer.destroy();
    await until("the end", () => subscription.isOver);
    await until("the timer to be gone", () => database.time.waiting() === 0);
    server.close();
  });
});

async function connect(server: Server): Promise<IncomingMessage> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port }, resolve).on("error", reject);
  });
}

/** The number once it has not changed over many turns of the event loop. */
async function settled(read: () => number): Promise<number> {
  for (let last = -1; ; ) {
    const now = read();
    if (now === last) return now;
    last = now;
    for (let turns = 0; turns < 2_000; turns++) await new Promise(setImmediate);
  }
}
