// Events in the API, and the query parameters of their stream and list.
import { z } from "zod";
import { type EventType, eventTypes } from "../domain/event.ts";
import { matchesType } from "../domain/webhook.ts";
import { executionId, idOf, jobId, runId, time } from "./field.ts";
import { page, shownAs } from "./query.ts";

export const eventExample = {
  id: "evt_01kawv9x2m4t6r8s0p1q3n5v7w",
  seq: 42,
  type: "run.succeeded",
  created_at: "2026-01-31T12:01:15.000Z",
  job_id: "job_01kawv9x2m4t6r8s0p1q3n5v7w",
  run_id: "run_01kawv9x2m4t6r8s0p1q3n5v7w",
  data: { attempt: 1, outcome: "succeeded", error: null },
};

export const event = z
  .object({
    id: idOf("evt", "The event's id."),
    seq: z.int().min(1).describe("Number of the event, ascending. In Server-Sent Events it is the `id:`."),
    type: z
      .string()
      .meta({ description: `One of ${eventTypes.join(", ")}; more may come.`, examples: ["run.succeeded"] }),
    created_at: time,
    job_id: jobId,
    run_id: runId.optional(),
    execution_id: executionId.optional(),
    data: z
      .record(z.string(), z.unknown())
      .describe(
        "Details by type. `run.collecting` and terminal events of runs have `attempt`, `outcome` and `error`.",
      ),
  })
  .meta({
    id: "Event",
    examples: [eventExample],
  });
export type EventView = z.output<typeof event>;

/** Number of the last event that the reader has; 0 for none. */
export const lastEventId = z
  .string()
  .regex(/^\d{1,15}$/, "must be the id of an event in the stream: a whole number")
  .transform(Number)
  .meta({
    override: ({ jsonSchema }) =>
      shownAs(jsonSchema, { type: "integer", minimum: 0, maximum: 999_999_999_999_999 }),
  });

const types = z
  .string()
  .max(2_000)
  .transform((text, context): EventType[] =>
    text.split(",").flatMap((word) => {
      const named = eventTypes.filter((type) => matchesType([word.trim()], type));
      if (named.length > 0) return named;
      const message = `${JSON.stringify(word.slice(0, 100))} is not an event type; use ${eventTypes.join(", ")}, or a wildcard such as job.*`;
      context.addIssue({ code: "custom", message });
      return [];
    }),
  )
  .meta({
    override: { examples: ["job.*,run.failed"] },
  });

const reading = {
  types: types.optional().describe("Event types, separated by commas; wildcards: `job.*`, `*`."),
  last_event_id: lastEventId.optional().describe("Number of the last event that the reader has; 0 for none."),
};
const ofRun = {
  run_id: z
    .string()
    .regex(/^run_[0-9a-z]{26}$/, "must be a run's id")
    .optional()
    .describe("Only events of this run of the job."),
};
export const streamQuery = z.strictObject(reading);
export const listQuery = z.strictObject({ ...page.shape, ...reading });
export const jobStreamQuery = z.strictObject({ ...reading, ...ofRun });
export const jobListQuery = z.strictObject({ ...page.shape, ...reading, ...ofRun });
export type ListQuery = z.output<typeof jobListQuery>;
