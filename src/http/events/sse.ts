// Server-Sent Events out of the event log. A stream holds its position and nothing else: each page is read from the
// database when the reader has taken the one before, so a slow reader costs no memory and misses nothing.
import { DatabaseUnavailable } from "../../lib/database-error.ts";
import { type EventFilter, type EventRow, readEvents } from "../../store/events.ts";
import type { AppContext } from "../request-context.ts";
import { viewEvent } from "../views/view.ts";
import type { Subscription } from "./feed.ts";

export interface Reading {
  filter: EventFilter;
  /** The position: the reader has all events up to this number. */
  after: number;
  /** Said at the beginning, as comments. */
  notes: string[];
  /** Whether nothing more is to come but what has been written already. */
  isOver(): Promise<boolean>;
}

/** Ends with what is over, with the subscription, or when the reader goes away. */
export function eventStream(desk: AppContext, subscription: Subscription, reading: Reading) {
  const texts = tell(desk, subscription, reading);
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const text = await texts.next();
        if (text.done) controller.close();
        else controller.enqueue(encoder.encode(text.value));
      },
      async cancel() {
        subscription.end();
        await texts.return();
      },
    },
    // Nothing is read ahead of the reader.
    { highWaterMark: 0 },
  );
}

async function* tell(
  desk: AppContext,
  subscription: Subscription,
  reading: Reading,
): AsyncGenerator<string, void> {
  const { filter, notes, isOver } = reading;
  let { after } = reading;
  let isBeatDue = false;
  const beat = () => {
    isBeatDue = true;
    subscription.notify();
    cancelBeat = desk.timers.after(HEARTBEAT_MS, beat);
  };
  let cancelBeat = desk.timers.after(HEARTBEAT_MS, beat);
  try {
    // An id without data moves the reader's Last-Event-ID: who loses the connection before the first event
    // comes back to this place.
    yield `${notes.map((note) => `: ${note}\n`).join("")}retry: ${RETRY_MS}\nid: ${after}\n\n`;
    while (!subscription.isOver) {
      // In this order: what made it over was written before, and so is on the pages that follow.
      const isEnding = await isOver();
      const page = await readEvents(desk.store.db, filter, after, EVENTS_AT_ONCE);
      after = page.readTo;
      if (page.events.length > 0) yield page.events.map(textOf).join("");
      if (isBeatDue) yield HEARTBEAT;
      isBeatDue = false;
      if (page.isNewest && isEnding) return;
      if (page.isNewest) await subscription.next();
    }
    yield `: the service stops; come back\nretry: ${RETRY_MS}\n\n`;
  } catch (error) {
    desk.report.fault("events", error);
    // The reader comes back to its place by its Last-Event-ID.
    if (error instanceof DatabaseUnavailable)
      yield `: the database is unavailable; come back\nretry: ${RETRY_MS}\n\n`;
  } finally {
    cancelBeat();
    subscription.end();
  }
}

/** Proxies cut connections that are silent for long; 30 s is the shortest in use. */
export const HEARTBEAT_MS = 15_000;
const HEARTBEAT = ": still here\n\n";
const RETRY_MS = 2_000;
const EVENTS_AT_ONCE = 100;

function textOf(row: EventRow): string {
  return `id: ${row.seq}\nevent: ${row.type}\ndata: ${JSON.stringify(viewEvent(row))}\n\n`;
}
