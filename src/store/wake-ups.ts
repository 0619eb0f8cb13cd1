// Wake-ups between instances by NOTIFY, which only hurry what polling finds anyway. NOTIFY locks the whole cluster at
// its commit, so it never stands in a transaction that holds rows.
import { sql } from "kysely";
import pg from "pg";
import { systemTimers } from "../lib/clock.ts";
import type { Topic } from "./db/transaction.ts";
import type { Store } from "./store.ts";

const CHANNEL = "proctor";
const GATHERED_MS = 50;
const RETRY_MS = 2_000;
const PROBE_MS = 10_000;
const ANSWER_WITHIN_MS = 5_000;

/**
 * Readers wait at any instance, a pause counts for all, and a role may be held by another one. All other work is done by
 * the instance whose commit made it due: others would only compete for it. They find what it leaves by polling.
 */
export function concernsOthers(topic: Topic): boolean {
  return OF_OTHERS.has(topic);
}

const OF_OTHERS: ReadonlySet<Topic> = new Set([
  "events",
  "pauses",
  "enforce-limits",
  "delete-jobs",
  "delete-remote",
]);

export interface WakeUps {
  tell(topic: Topic): void;
  close(): Promise<void>;
}

/**
 * @param listenUrl a direct connection: a pooler in transaction mode passes no notifications on
 * @param onWake hears what other instances tell, but not what was missed without a connection
 */
export function connectWakeUps(
  { db, instance }: Pick<Store, "db" | "instance">,
  listenUrl: string,
  onWake: (topic: Topic) => void,
): WakeUps {
  const topics = new Set<Topic>();
  let isClosed = false;
  let isTelling = false;
  let client: pg.Client | null = null;
  let cancelTimer = () => {};

  function planFlush(): void {
    isTelling = true;
    systemTimers.after(GATHERED_MS, () => isClosed || void flush());
  }

  /** One NOTIFY at a time: many would wait for the cluster's lock with all connections of the pool. */
  async function flush(): Promise<void> {
    const payload = `${instance} ${[...topics].join(" ")}`;
    topics.clear();
    // Lost with the database, it is found by polling.
    await sql`select pg_notify(${CHANNEL}, ${payload})`.execute(db).catch(() => {});
    isTelling = false;
    if (topics.size > 0) planFlush();
  }

  function hear(payload: string): void {
    const [from, ...told] = payload.split(" ");
    if (from !== instance) for (const topic of told) onWake(topic as Topic);
  }

  async function listen(): Promise<void> {
    const fresh = new pg.Client({
      connectionString: listenUrl,
      keepAlive: true,
      connectionTimeoutMillis: ANSWER_WITHIN_MS,
      query_timeout: ANSWER_WITHIN_MS,
    });
    client = fresh;
    const lost = () => {
      if (client === fresh) retry(RETRY_MS);
    };
    fresh.on("error", lost);
    fresh.on("end", lost);
    fresh.on("notification", ({ payload = "" }) => hear(payload));
    try {
      await fresh.connect();
      await fresh.query(`listen ${CHANNEL}`);
      probe(fresh);
    } catch {
      lost();
    }
  }

  /** The other side may be gone although nobody said so. */
  function probe(connected: pg.Client): void {
    cancelTimer = systemTimers.after(PROBE_MS, () => {
      connected.query("select 1").then(
        () => client === connected && probe(connected),
        () => client === connected && retry(0),
      );
    });
  }

  function retry(afterMs: number): void {
    cancelTimer();
    void client?.end().catch(() => {});
    client = null;
    if (!isClosed) cancelTimer = systemTimers.after(afterMs, () => void listen());
  }

  void listen();
  return {
    tell(topic) {
      if (isClosed) return;
      topics.add(topic);
      if (!isTelling) planFlush();
    },
    async close() {
      isClosed = true;
      cancelTimer();
      const last = client;
      client = null;
      await last?.end().catch(() => {});
    },
  };
}
