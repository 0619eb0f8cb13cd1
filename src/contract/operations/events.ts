// What is published of the routes about events.
import { z } from "zod";
import { event, eventExample, lastEventId, listQuery } from "../events.ts";
import { pageOf } from "../field.ts";
import { json, type Operation } from "../operation.ts";

const forms =
  "Server-Sent Events, unless `Accept` asks for `application/json` and not for `text/event-stream`: then a list, oldest first. `limit` and `cursor` are for the list alone. A stream says something at least every 15 s. `Last-Event-ID` stands before `last_event_id`.";

const shown = eventExample;

const common = {
  tag: "Events",
  query: listQuery,
  headers: z.object({
    "Last-Event-ID": lastEventId
      .optional()
      .describe("The stream goes on behind this event, without gap or repeat."),
  }),
  answers: {
    200: {
      description: "A stream, or a page of a list.",
      content: {
        "text/event-stream": z.string().meta({
          description: "`id:` is the event's `seq`, `event:` its `type`, `data:` an `Event`.",
          examples: [`id: ${shown.seq}\nevent: ${shown.type}\ndata: ${JSON.stringify(shown)}\n\n`],
        }),
        ...json(pageOf(event), "").content,
      },
    },
  },
  problems: ["too-many-waiting"],
} satisfies Partial<Operation>;

export const readEvents: Operation = {
  ...common,
  id: "readEvents",
  summary: "Events of all jobs that the caller may see",
  description: `${forms} Without a position a stream begins with new events.`,
};

export const readJobEvents: Operation = {
  ...common,
  answers: {
    ...common.answers,
    204: { description: "Nothing more will come, and the reader has everything: do not come back." },
  },
  id: "readJobEvents",
  summary: "Events of a job",
  description: `${forms} Without a position a stream begins with the first event. It ends with the job.`,
};
