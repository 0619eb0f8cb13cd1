// Server-Sent Events. A stream holds only its position: a slow reader costs no memory and misses nothing.
import { DatabaseUnavailable } from "../../lib/database-error.ts";
import { type EventFilter, type EventRow, readEvents } from "../../store/events.ts";
import type { AppContext } from "../request-context.ts";
import { viewEvent } from "../views/view.ts";
import type { Subscription } from "./feed.ts";
import { textStream } from "./text-stream.ts";

export interface StreamOptions {
  filter: EventFilter;
  after: number;
  notes: string[];
  isOver(): Promise<boolean>;
}

/** Ends after the last event, with the subscription, or when the reader disconnects. */
export function eventStream(context: AppContext, subscription: Subscription, options: StreamOptions) {
  return textStream(eventTexts(context, subscription, options), subscription);
}

async function* eventTexts(
  context: AppContext,
  subscription: Subscription,
  options: StreamOptions,
): AsyncGenerator<string, void> {
  const { filter, notes, isOver } = options;
  let { after } = options;
  let isBeatDue = false;
  const beat = () => {
    isBeatDue = true;
    subscription.notify();
    cancelBeat = context.timers.after(HEARTBEAT_MS, beat);
  };
  let cancelBeat = context.timers.after(HEARTBEAT_MS, beat);
  try {
    // An id without data sets Last-Event-ID: a reader that loses the connection now resumes here.
    yield `${notes.map((note) => `: ${note}\n`).join("")}retry: ${RETRY_MS}\nid: ${after}\n\n`;
    while (!subscription.isOver) {
      // Ask before reading: the events of the end were written earlier, so the next page has them.
      const isEnding = await isOver();
      const page = await readEvents(context.store.db, filter, after, MAX_EVENTS_PER_PAGE);
      after = page.readTo;
      if (page.events.length > 0) yield page.events.map(textOf).join("");
      if (isBeatDue) yield HEARTBEAT;
      isBeatDue = false;
      if (page.isNewest && isEnding) return;
      if (page.isNewest) await subscription.next();
    }
    yield `: the service is shutting down; reconnect\nretry: ${RETRY_MS}\n\n`;
  } catch (error) {
    context.report.fault("events", error);
    // The reader resumes by its Last-Event-ID.
    if (error instanceof DatabaseUnavailable)
      yield `: the database is unavailable; reconnect\nretry: ${RETRY_MS}\n\n`;
  } finally {
    cancelBeat();
    subscription.end();
  }
}

/** Proxies cut silent connections; the shortest timeout in use is 30 s. */
export const HEARTBEAT_MS = 15_000;
const HEARTBEAT = ": heartbeat\n\n";
const RETRY_MS = 2_000;
const MAX_EVENTS_PER_PAGE = 100;

function textOf(row: EventRow): string {
  return `id: ${row.seq}\nevent: ${row.type}\ndata: ${JSON.stringify(viewEvent(row))}\n\n`;
}
