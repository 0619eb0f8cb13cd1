// Loads the data of a page when it opens, and again when an event says that the data has changed.
import { useEffect, useRef, useState } from "preact/hooks";
import type { ProctorEvent } from "../client/client.ts";
import { isSignedOut } from "./api.ts";
import { onEvent, resync } from "./live.ts";
import { endSession } from "./session.ts";

export type Loaded<T> =
  | { type: "loading" }
  /** `readAt`: epoch milliseconds. `problem`: the last reading failed, and the value is an older one. */
  | { type: "ready"; value: T; readAt: number; problem: unknown }
  | { type: "failed"; error: unknown };

export interface Refresh {
  /** The event may have changed the loaded data. */
  on?: (event: ProctorEvent) => boolean;
  everyMs?: number;
}

/** Events come in swarms: one request answers a swarm. */
const MIN_INTERVAL_MS = 1_500;
/** A slow reading is repeated more seldom. */
const PAUSE_PER_READ = 5;

/** @param key of the data; another key begins anew. Returns the state, and a function that reads again at once. */
export function useLoad<T>(
  key: string,
  read: (signal: AbortSignal) => Promise<T>,
  { on, everyMs }: Refresh = {},
): [Loaded<T>, () => void] {
  const [state, setState] = useState<{ key: string; loaded: Loaded<T> }>({
    key,
    loaded: { type: "loading" },
  });
  const latest = useRef({ read, on });
  latest.current = { read, on };
  const again = useRef(() => {});

  useEffect(() => {
    const leaving = new AbortController();
    let timer = 0;
    let isReading = false;
    let isWanted = false;
    let readAt = 0;
    let tookMs = 0;

    const run = async () => {
      if (isReading) {
        isWanted = true;
        return;
      }
      isReading = true;
      isWanted = false;
      readAt = Date.now();
      try {
        const value = await latest.current.read(leaving.signal);
        if (!leaving.signal.aborted)
          setState({ key, loaded: { type: "ready", value, readAt, problem: null } });
      } catch (error) {
        if (leaving.signal.aborted) return;
        if (isSignedOut(error)) return endSession();
        // The data loaded before stays on the screen, marked as old.
        setState(({ key: of, loaded }) =>
          of === key && loaded.type === "ready"
            ? { key, loaded: { ...loaded, problem: error } }
            : { key, loaded: { type: "failed", error } },
        );
      } finally {
        isReading = false;
        tookMs = Date.now() - readAt;
        if (isWanted && !leaving.signal.aborted) soon();
      }
    };
    const soon = () => {
      isWanted = true;
      if (timer !== 0) return;
      timer = setTimeout(
        () => {
          timer = 0;
          void run();
        },
        Math.max(0, readAt + Math.max(MIN_INTERVAL_MS, PAUSE_PER_READ * tookMs) - Date.now()),
      );
    };
    again.current = () => void run();
    void run();
    const stopListening = onEvent((event) => {
      if (latest.current.on?.(event)) soon();
    });
    let seen = resync.peek();
    const stopResync = resync.subscribe((count) => {
      if (count !== seen) soon();
      seen = count;
    });
    const interval = everyMs === undefined ? 0 : setInterval(() => document.hidden || soon(), everyMs);
    return () => {
      leaving.abort();
      clearTimeout(timer);
      clearInterval(interval);
      stopListening();
      stopResync();
    };
  }, [key, everyMs]);

  return [state.key === key ? state.loaded : { type: "loading" }, () => again.current()];
}

/** And whether there are more. */
export async function firstOf<T>(
  list: AsyncIterable<T>,
  most: number,
): Promise<{ data: T[]; more: boolean }> {
  const data: T[] = [];
  for await (const item of list) {
    if (data.length === most) return { data, more: true };
    data.push(item);
  }
  return { data, more: false };
}
