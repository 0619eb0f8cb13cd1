// Helpers for listening to events: a reader of Server-Sent Events, and timers of one length fired by hand.
import type { Timers } from "../../src/lib/clock.ts";
import { systemTimers } from "../../src/lib/clock.ts";
import type { Json } from "./client.ts";

export interface Heard {
  id: string;
  type: string;
  data: Json;
}

export interface Listener {
  response: Response;
  /** The next blocks as they came, the first of which holds the comments and the position. */
  block(): Promise<string | null>;
  /** The next event, or null when the stream has ended. */
  next(): Promise<Heard | null>;
  /** All events until the stream ends. */
  rest(): Promise<Heard[]>;
  /** Goes away without a word. */
  leave(): void;
}

export async function listen(
  url: string,
  key: string,
  headers: Record<string, string> = {},
): Promise<Listener> {
  const leaving = new AbortController();
  const response = await fetch(url, {
    headers: { Authorization: `Bearer ${key}`, Accept: "text/event-stream", ...headers },
    signal: leaving.signal,
  });
  const reader = (response.body ?? ReadableStream.from<Uint8Array>([]))
    .pipeThrough(new TextDecoderStream())
    .getReader();
  let text = "";

  async function block(): Promise<string | null> {
    while (!text.includes("\n\n")) {
      const { done, value } = await reader.read();
      if (done) return null;
      text += value;
    }
    const end = text.indexOf("\n\n");
    const first = text.slice(0, end);
    text = text.slice(end + 2);
    return first;
  }

  async function next(): Promise<Heard | null> {
    for (;;) {
      const one = await block();
      if (one === null) return null;
      const fields = Object.fromEntries(one.split("\n").map((line) => line.split(/: (.*)/)));
      if (fields.data !== undefined)
        return { id: fields.id ?? "", type: fields.event ?? "", data: JSON.parse(fields.data) };
    }
  }

  async function rest(): Promise<Heard[]> {
    const heard: Heard[] = [];
    for (let one = await next(); one !== null; one = await next()) heard.push(one);
    return heard;
  }

  return { response, block, next, rest, leave: () => leaving.abort() };
}

/** The machine's timers, but those of one length are held back: to be counted, and fired by hand. */
export function heldTimers(lengthMs: number) {
  const held = new Set<() => void>();
  const timers: Timers = {
    after(ms, fn) {
      if (ms !== lengthMs) return systemTimers.after(ms, fn);
      held.add(fn);
      return () => void held.delete(fn);
    },
  };
  function fire(): void {
    const due = [...held];
    held.clear();
    for (const fn of due) fn();
  }
  return { timers, held, fire };
}
