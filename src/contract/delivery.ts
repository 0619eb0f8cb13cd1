// A delivery to a webhook in the API.
import { z } from "zod";
import { count, idOf, jobId, time } from "./field.ts";

export const delivery = z
  .object({
    id: idOf("dlv", "The delivery's id, sent as `webhook-id`."),
    webhook_id: idOf("whk", "The webhook's id.")
      .nullable()
      .describe("Null for deliveries to the job's own `webhook_url`."),
    job_id: jobId,
    event_id: idOf("evt", "The event's id."),
    type: z.string().describe("Type of the event."),
    url: z.string().describe("Readers see only the origin."),
    state: z.enum(["pending", "delivered", "failed"]),
    reason: z
      .enum(["exhausted", "gone", "webhook_disabled"])
      .nullable()
      .describe("Why the delivery failed: all attempts used, an answer 410, or the webhook was disabled."),
    attempts: count.describe("Attempts since creation or the last redelivery."),
    next_attempt_at: time.nullable(),
    created_at: time,
    ended_at: time.nullable(),
    log: z
      .array(
        z
          .object({
            at: time,
            duration_ms: z.number().min(0),
            status: z.int().nullable().describe("HTTP status; null without an answer."),
            error: z.string().nullable().describe("Why the attempt failed."),
          })
          .meta({ id: "DeliveryAttempt" }),
      )
      .describe("The last attempts. Answers of the subscriber are not stored."),
  })
  .meta({
    id: "Delivery",
    examples: [
      {
        id: "dlv_01kawv9x2m4t6r8s0p1q3n5v7w",
        webhook_id: "whk_01kawv9x2m4t6r8s0p1q3n5v7w",
        job_id: "job_01kawv9x2m4t6r8s0p1q3n5v7w",
        event_id: "evt_01kawv9x2m4t6r8s0p1q3n5v7w",
        type: "job.succeeded",
        url: "https://worker.example.com/hook",
        state: "delivered",
        reason: null,
        attempts: 1,
        next_attempt_at: null,
        created_at: "2026-01-31T12:01:15.000Z",
        ended_at: "2026-01-31T12:01:15.300Z",
        log: [{ at: "2026-01-31T12:01:15.080Z", duration_ms: 212, status: 204, error: null }],
      },
    ],
  });
export type DeliveryView = z.output<typeof delivery>;
