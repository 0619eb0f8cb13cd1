// Operations on events.
import { z } from "zod";
import { event, eventExample, jobListQuery, lastEventId, listQuery } from "../events.ts";
import { pageOf } from "../field.ts";
import { json, type Operation } from "../operation.ts";

const forms =
  "Server-Sent Events; or a list, oldest first, if `Accept` has `application/json` and not `text/event-stream`. Only the list takes `limit` and `cursor`. A stream sends a heartbeat every 15 s. `Last-Event-ID` wins over `last_event_id`.";

const common = {
  tag: "Events",
  query: listQuery,
  headers: z.object({
    "Last-Event-ID": lastEventId
      .optional()
      .describe("The stream continues after this event, without gap or repetition."),
  }),
  answers: {
    200: {
      description: "A stream, or a page of a list.",
      content: {
        "text/event-stream": z.string().meta({
          description: "`id:` is the event's `seq`, `event:` its `type`, `data:` an `Event`.",
          examples: [
            `id: ${eventExample.seq}\nevent: ${eventExample.type}\ndata: ${JSON.stringify(eventExample)}\n\n`,
          ],
        }),
        ...json(pageOf(event), "").content,
      },
    },
  },
  problems: ["too-many-waiting"],
} satisfies Partial<Operation>;

export const readEvents = {
  ...common,
  id: "readEvents",
  summary: "Read the events of all visible jobs",
  description: `${forms} Without a position, a stream begins with new events.`,
} satisfies Operation;

export const readJobEvents = {
  ...common,
  query: jobListQuery,
  answers: {
    ...common.answers,
    204: { description: "No more events will come and the reader has all: do not reconnect." },
  },
  id: "readJobEvents",
  summary: "Read the events of a job",
  description: `${forms} Without a position, a stream begins with the first event. It ends with the job.`,
} satisfies Operation;
