// Webhooks over HTTP: the bodies that are taken, subscriptions as they are shown, and what subscribers get.
import { z } from "zod";
import { isWebhookSecret, MAX_URL, subscribableTypes, urlProblem } from "../domain/webhook.ts";
import { executionId, idOf, jobId, runId, time } from "./field.ts";

/** As far as it can be judged on the face of it; where it leads is looked up by the route. */
export const webhookUrl = z
  .string()
  .superRefine((url, context) => {
    const message = /\p{Cc}/u.test(url)
      ? "holds control characters; write them percent-encoded, or leave them out"
      : urlProblem(url);
    if (message !== null) context.addIssue({ code: "custom", message });
  })
  .meta({ format: "uri", maxLength: MAX_URL, examples: ["https://worker.example.com/hook"] });

const secret = z
  .string()
  .refine(isWebhookSecret, "must be whsec_ and 24 to 64 bytes in base64")
  .optional()
  .describe("Made by Proctor if left out; shown in this answer and never again.");

export const webhookBody = z.strictObject({
  url: webhookUrl.describe("HTTPS, to a public address."),
  types: z
    .array(z.enum(subscribableTypes))
    .min(1)
    .max(subscribableTypes.length)
    .describe("Event types; all of a kind as `job.*`, all as `*`."),
  secret,
});

export const rotateBody = z.strictObject({ secret });

const shown = {
  id: idOf("whk", "The webhook's id."),
  url: z.string().describe("To readers its origin alone: the path may be a secret."),
  types: z.array(z.string()).describe("What it hears of; all of a kind as `job.*`, all as `*`."),
  api_key: z.string().describe("The name of the key that made it."),
  scope: z.enum(["own_jobs", "all_jobs"]).describe("`all_jobs`: an administrator's."),
  status: z
    .enum(["ok", "failing", "disabled"])
    .describe("`failing`: its last attempt did. `disabled`: it gets nothing until it is enabled again."),
  created_at: time,
  failing_since: time.nullable(),
  disabled_at: time.nullable(),
  disabled_reason: z
    .enum(["exhausted", "gone"])
    .nullable()
    .describe("`gone`: it answered 410. `exhausted`: a delivery failed too often and nothing else arrived."),
};
const example = {
  id: "whk_01kawv9x2m4t6r8s0p1q3n5v7w",
  url: "https://worker.example.com/hook",
  types: ["job.*"],
  api_key: "worker",
  scope: "own_jobs",
  status: "ok",
  created_at: "2026-01-31T12:00:00.000Z",
  failing_since: null,
  disabled_at: null,
  disabled_reason: null,
};

export const webhook = z.object(shown).meta({ id: "Webhook", examples: [example] });
export type WebhookView = z.output<typeof webhook>;

/** With its secret: at creation and rotation, and never again. */
export const disclosedWebhook = z
  .object({ ...shown, secret: z.string().describe("Signs the deliveries; it is not shown again.") })
  .meta({
    id: "DisclosedWebhook",
    examples: [{ ...example, secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" }],
  });
export type DisclosedWebhookView = z.output<typeof disclosedWebhook>;

/** What a subscriber gets, as Standard Webhooks recommends it. */
export const payload = z
  .object({
    type: z.string().describe("The event's."),
    timestamp: time.describe("When it happened."),
    data: z
      .looseObject({
        event_id: idOf("evt", "The event's id."),
        seq: z.int().min(1),
        job_id: jobId,
        run_id: runId.optional(),
        execution_id: executionId.optional(),
      })
      .describe("What the event is about, and its own data."),
  })
  .meta({
    id: "WebhookPayload",
    examples: [
      {
        type: "job.succeeded",
        timestamp: "2026-01-31T12:01:15.000Z",
        data: {
          event_id: "evt_01kawv9x2m4t6r8s0p1q3n5v7w",
          seq: 42,
          job_id: "job_01kawv9x2m4t6r8s0p1q3n5v7w",
        },
      },
    ],
  });
