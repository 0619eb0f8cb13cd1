// One event stream for the whole page. After a gap, all shown data is read again.
import { signal } from "@preact/signals";
import type { ProctorEvent } from "../client/client.ts";
import { api, isSignedOut } from "./api.ts";
import { endSession } from "./session.ts";

export type LiveState = { type: "connecting" } | { type: "live" } | { type: "stale"; since: number };

export const live = signal<LiveState>({ type: "connecting" });
/** Grows when shown data may have missed events. */
export const resync = signal(0);

type Listener = (event: ProctorEvent) => void;
const listeners = new Set<Listener>();

export function onEvent(listener: Listener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** The service gives a sign of life every 15 s. */
const STALE_AFTER_MS = 20_000;
/** A hidden page lets its connection go: a browser has six per service, and people have many tabs. */
const HIDDEN_FOR_MS = 60_000;
const RETRY_MS = 2_000;

export function startLive(): () => void {
  const leaving = new AbortController();
  let connection = new AbortController();
  let lastSeq: number | undefined;
  let aliveAt = Date.now();

  const lost = () => {
    if (live.peek().type !== "stale") live.value = { type: "stale", since: aliveAt };
  };
  const alive = () => {
    aliveAt = Date.now();
    if (live.peek().type === "stale") resync.value++;
    if (live.peek().type !== "live") live.value = { type: "live" };
  };

  async function follow(): Promise<void> {
    while (!leaving.signal.aborted) {
      const { signal } = connection;
      try {
        const options = { lastEventId: lastSeq, signal, onAlive: alive, onLost: lost };
        for await (const event of api.events("all", options)) {
          lastSeq = event.seq;
          for (const listener of listeners) listener(event);
        }
      } catch (error) {
        if (isSignedOut(error)) return endSession();
      }
      if (leaving.signal.aborted) return;
      if (document.hidden) await shown(leaving.signal);
      else {
        lost();
        await pause(RETRY_MS);
      }
      connection = new AbortController();
    }
  }

  const watch = setInterval(() => {
    if (!document.hidden && Date.now() - aliveAt > STALE_AFTER_MS) lost();
  }, 1_000);
  let hiding = 0;
  const onVisibility = () => {
    clearTimeout(hiding);
    if (!document.hidden) return;
    hiding = setTimeout(() => {
      // Hours of events are not replayed: everything is read anew.
      lastSeq = undefined;
      connection.abort();
    }, HIDDEN_FOR_MS);
  };
  document.addEventListener("visibilitychange", onVisibility);
  void follow();
  return () => {
    leaving.abort();
    connection.abort();
    clearInterval(watch);
    clearTimeout(hiding);
    document.removeEventListener("visibilitychange", onVisibility);
    live.value = { type: "connecting" };
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Until somebody looks again, or the page is left. */
function shown(leaving: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (document.hidden && !leaving.aborted) return;
      document.removeEventListener("visibilitychange", look);
      live.value = { type: "stale", since: Date.now() };
      resolve();
    };
    document.addEventListener("visibilitychange", look);
    leaving.addEventListener("abort", look);
  });
}
