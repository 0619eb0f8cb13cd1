// Reads new events once for all subscriptions and wakes them. A wake-up is a hint: subscribers read for themselves.
import { isTerminal, type RunStatus } from "../../domain/run.ts";
import { nextTurn } from "../../lib/next-turn.ts";
import { type EventHeader, newestSeq, readEventHeaders } from "../../store/events.ts";
import type { Store } from "../../store/store.ts";

export interface Subscription {
  /** True at the next change since the last call; false once the subscription has ended. */
  next(): Promise<boolean>;
  notify(): void;
  end(): void;
  readonly isOver: boolean;
}

export interface EventFeed {
  /** Null above the limit of subscriptions. */
  subscribe(topic: string): Subscription | null;
  /** Returns when to poll again without being woken, or null. */
  poll(): Promise<number | null>;
  count(): number;
  /** Later subscriptions included. */
  close(): void;
}

export interface EventFeedOptions {
  store: Store;
  now: () => number;
  maxSubscriptions: number;
  onFirst(): void;
}

export const topics = {
  everything: "everything",
  key: (name: string) => `key ${name}`,
  job: (id: string) => `all of ${id}`,
  endOf: (id: string) => `end of ${id}`,
  outcomeOf: (id: string) => `outcome of ${id}`,
};

export function createEventFeed({ store, now, maxSubscriptions, onFirst }: EventFeedOptions): EventFeed {
  const subscriptions = new Map<string, Set<Subscription>>();
  let count = 0;
  let isClosed = false;
  /** Null without subscriptions: then nothing is read. */
  let position: number | null = null;

  function subscribe(topic: string): Subscription | null {
    if (count >= maxSubscriptions) return null;
    const subscription = createSubscription(() => remove(topic, subscription));
    if (isClosed) {
      subscription.end();
      return subscription;
    }
    const ofTopic = subscriptions.get(topic);
    if (ofTopic === undefined) subscriptions.set(topic, new Set([subscription]));
    else ofTopic.add(subscription);
    count += 1;
    if (position === null) onFirst();
    return subscription;
  }

  function remove(topic: string, subscription: Subscription): void {
    const ofTopic = subscriptions.get(topic);
    if (ofTopic?.delete(subscription) !== true) return;
    count -= 1;
    if (ofTopic.size === 0) subscriptions.delete(topic);
  }

  async function poll(): Promise<number | null> {
    if (count === 0) {
      position = null;
      return null;
    }
    // On PostgreSQL other processes write without waking this process: poll every second.
    const nextPollAt = store.kind === "sqlite" ? null : now() + POLL_INTERVAL_MS;
    if (position === null) {
      // Events since the subscriptions began are unknown: every subscriber reads once.
      position = await newestSeq(store.db);
      for (const topic of [...subscriptions.keys()]) await wake(topic);
      return nextPollAt;
    }
    const news = await readEventHeaders(store.db, position, MAX_NEWS);
    position = news.at(-1)?.seq ?? position;
    for (const topic of new Set(news.flatMap(topicsOf))) await wake(topic);
    return news.length === MAX_NEWS ? now() : nextPollAt;
  }

  async function wake(topic: string): Promise<void> {
    let woken = 0;
    for (const subscription of [...(subscriptions.get(topic) ?? [])]) {
      subscription.notify();
      // Waking all in one turn of the event loop would delay callbacks.
      if (++woken % WOKEN_PER_TURN === 0) await nextTurn();
    }
  }

  function close(): void {
    isClosed = true;
    for (const ofTopic of [...subscriptions.values()])
      for (const subscription of [...ofTopic]) subscription.end();
  }

  return { subscribe, poll, count: () => count, close };
}

const MAX_NEWS = 1_000;
const WOKEN_PER_TURN = 100;
const POLL_INTERVAL_MS = 1_000;

function topicsOf({ type, job_id, run_id, api_key, undecided }: EventHeader): string[] {
  const [subject, word] = type.split(".");
  const concerned = [topics.everything, topics.job(job_id)];
  if (api_key !== null) concerned.push(topics.key(api_key));
  const isEnd = isTerminal(word as RunStatus);
  if (subject === "job" && isEnd) concerned.push(topics.endOf(job_id));
  if (subject === "run" && run_id !== null) {
    if (isEnd) concerned.push(topics.endOf(run_id));
    if (isEnd || word === "collecting") concerned.push(topics.outcomeOf(run_id));
  }
  // `undecided` is the job's current count: if a run was added since the event, that run's outcome wakes the subscribers.
  if (undecided === 0) concerned.push(topics.outcomeOf(job_id));
  return concerned;
}

function createSubscription(onEnd: () => void): Subscription {
  let isNotified = false;
  let isOver = false;
  let resume: (() => void) | null = null;

  function wake(): void {
    resume?.();
    resume = null;
  }

  return {
    async next() {
      if (!isNotified && !isOver) {
        await new Promise<void>((resolve) => {
          resume = resolve;
        });
      }
      isNotified = false;
      return !isOver;
    },
    notify() {
      isNotified = true;
      wake();
    },
    end() {
      if (isOver) return;
      isOver = true;
      onEnd();
      wake();
    },
    get isOver() {
      return isOver;
    },
  };
}
