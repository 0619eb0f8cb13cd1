// The shared tail of the event log: whatever the number of those who wait, what is new is read once, and only those
// whom it concerns are woken. They then look for themselves: a wake-up is a hint, never the answer.
import { isTerminal, type RunStatus } from "../../domain/run.ts";
import { type News, newestSeq, readNews } from "../../store/events.ts";
import type { Store } from "../../store/store.ts";

export interface Subscription {
  /** True at the next change that concerns it, at once if there was one since the last call; false once it is over. */
  next(): Promise<boolean>;
  /** As if there had been a change. */
  notify(): void;
  end(): void;
  readonly isOver: boolean;
}

export interface Tail {
  /** Null while as many wait as may. */
  subscribe(topic: string): Subscription | null;
  /** One look at what is new; answers when to look again without being woken, or null. */
  look(): Promise<number | null>;
  /** Ends every subscription, those to come included. */
  close(): void;
}

export interface TailOptions {
  store: Store;
  now: () => number;
  /** Subscriptions at once. */
  most: number;
  /** Somebody waits, and nobody looks yet. */
  onNeed(): void;
}

/** What one can subscribe to. */
export const topics = {
  everything: "everything",
  key: (name: string) => `key ${name}`,
  job: (id: string) => `all of ${id}`,
  endOf: (id: string) => `end of ${id}`,
  outcomeOf: (id: string) => `outcome of ${id}`,
};

export function createEventFeed({ store, now, most, onNeed }: TailOptions): Tail {
  const waiting = new Map<string, Set<Subscription>>();
  let count = 0;
  let isClosed = false;
  /** Null while nobody waits: then nothing is read. */
  let position: number | null = null;

  function subscribe(topic: string): Subscription | null {
    if (count >= most) return null;
    const subscription = createSubscription(() => remove(topic, subscription));
    if (isClosed) {
      subscription.end();
      return subscription;
    }
    const others = waiting.get(topic);
    if (others === undefined) waiting.set(topic, new Set([subscription]));
    else others.add(subscription);
    count += 1;
    if (position === null) onNeed();
    return subscription;
  }

  function remove(topic: string, subscription: Subscription): void {
    const those = waiting.get(topic);
    if (those?.delete(subscription) !== true) return;
    count -= 1;
    if (those.size === 0) waiting.delete(topic);
  }

  async function look(): Promise<number | null> {
    if (count === 0) {
      position = null;
      return null;
    }
    // Another process writes without waking this one: one look a second for all who wait.
    const nextLookAt = store.kind === "sqlite" ? null : now() + BETWEEN_LOOKS_MS;
    if (position === null) {
      // What happened since they subscribed is not known: all of them look once for themselves.
      position = await newestSeq(store.db);
      for (const topic of [...waiting.keys()]) await wake(topic);
      return nextLookAt;
    }
    const news = await readNews(store.db, position, NEWS_AT_ONCE);
    position = news.at(-1)?.seq ?? position;
    for (const topic of new Set(news.flatMap(topicsOf))) await wake(topic);
    return news.length === NEWS_AT_ONCE ? now() : nextLookAt;
  }

  async function wake(topic: string): Promise<void> {
    let woken = 0;
    for (const subscription of [...(waiting.get(topic) ?? [])]) {
      subscription.notify();
      // All at once would answer in one turn of the event loop, and keep callbacks out of it.
      if (++woken % WOKEN_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  function close(): void {
    isClosed = true;
    for (const those of [...waiting.values()]) for (const one of [...those]) one.end();
  }

  return { subscribe, look, close };
}

const NEWS_AT_ONCE = 1_000;
const WOKEN_AT_ONCE = 100;
const BETWEEN_LOOKS_MS = 1_000;

function topicsOf({ type, job_id, run_id, api_key, undecided }: News): string[] {
  const [subject, word] = type.split(".");
  const concerned = [topics.everything, topics.job(job_id)];
  if (api_key !== null) concerned.push(topics.key(api_key));
  const isEnd = isTerminal(word as RunStatus);
  if (subject === "job" && isEnd) concerned.push(topics.endOf(job_id));
  if (subject === "run" && run_id !== null) {
    if (isEnd) concerned.push(topics.endOf(run_id));
    if (isEnd || word === "collecting") concerned.push(topics.outcomeOf(run_id));
  }
  // The job as it stands now, not as the event left it: if a run was added since, that run's outcome wakes the waiters.
  if (undecided === 0) concerned.push(topics.outcomeOf(job_id));
  return concerned;
}

function createSubscription(onEnd: () => void): Subscription {
  let isNews = false;
  let isOver = false;
  let tell: (() => void) | null = null;

  function settle(): void {
    tell?.();
    tell = null;
  }

  return {
    async next() {
      if (!isNews && !isOver) {
        await new Promise<void>((resolve) => {
          tell = resolve;
        });
      }
      isNews = false;
      return !isOver;
    },
    notify() {
      isNews = true;
      settle();
    },
    end() {
      if (isOver) return;
      isOver = true;
      onEnd();
      settle();
    },
    get isOver() {
      return isOver;
    },
  };
}
