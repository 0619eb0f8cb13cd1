// Events over HTTP: their shape, and the query parameters of their stream and their list.
import { z } from "zod";
import { type EventType, eventTypes } from "../domain/event.ts";
import { hears } from "../domain/webhook.ts";
import { page } from "./query.ts";

export const event = z.object({
  id: z.string(),
  seq: z.int().describe("Grows with every event; over Server-Sent Events it is the `id:`."),
  type: z.string(),
  created_at: z.string(),
  job_id: z.string(),
  run_id: z.string().optional(),
  execution_id: z.string().optional(),
  data: z.record(z.string(), z.unknown()),
});
export type EventView = z.output<typeof event>;

/** The number of the last event that the reader has; 0 has none. */
export const lastEventId = z
  .string()
  .regex(/^\d{1,15}$/, "must be the id of an event of the stream: a whole number")
  .transform(Number);

const types = z
  .string()
  .max(2_000)
  .transform((text, context): EventType[] =>
    text.split(",").flatMap((word) => {
      const named = eventTypes.filter((type) => hears([word.trim()], type));
      if (named.length > 0) return named;
      const message = `${JSON.stringify(word.slice(0, 100))} names no event type; known are ${eventTypes.join(", ")}, and all of a kind as job.*`;
      context.addIssue({ code: "custom", message });
      return [];
    }),
  );

const reading = { types: types.optional(), last_event_id: lastEventId.optional() };
export const streamQuery = z.strictObject(reading);
export const listQuery = z.strictObject({ ...page.shape, ...reading });
