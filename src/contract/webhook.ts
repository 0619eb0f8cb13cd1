// Webhooks in the API: subscriptions, and the payload of deliveries.
import { z } from "zod";
import { isWebhookSecret, MAX_URL, subscribableTypes, urlProblem } from "../domain/webhook.ts";
import { executionId, idOf, jobId, runId, time } from "./field.ts";

/** Checks only the text; the route resolves the host. */
export const webhookUrl = z
  .string()
  .superRefine((url, context) => {
    const message = /\p{Cc}/u.test(url)
      ? "must not contain control characters; percent-encode them"
      : urlProblem(url);
    if (message !== null) context.addIssue({ code: "custom", message });
  })
  .meta({ format: "uri", maxLength: MAX_URL, examples: ["https://worker.example.com/hook"] });

const secret = z
  .string()
  .refine(isWebhookSecret, "must be whsec_ and 24 to 64 bytes in base64")
  .optional()
  .describe("Default: generated. Shown only in this answer.");

export const webhookBody = z
  .strictObject({
    url: webhookUrl.describe("HTTPS URL of a public address."),
    types: z
      .array(z.enum(subscribableTypes))
      .min(1)
      .max(subscribableTypes.length)
      .describe("Event types; wildcards: `job.*`, `*`."),
    secret,
  })
  .meta({ id: "WebhookRequest" });

export const rotateBody = z.strictObject({ secret }).meta({ id: "RotateRequest" });

const shown = {
  id: idOf("whk", "The webhook's id."),
  url: z.string().describe("Readers see only the origin: the path may be a secret."),
  types: z.array(z.string()).describe("Subscribed event types; wildcards: `job.*`, `*`."),
  api_key: z.string().describe("Name of the API key that created the webhook."),
  scope: z.enum(["own_jobs", "all_jobs"]).describe("`all_jobs` for webhooks of administrators."),
  status: z
    .enum(["ok", "failing", "disabled"])
    .describe("`failing`: the last attempt failed. `disabled`: no deliveries until it is enabled."),
  created_at: time,
  failing_since: time.nullable(),
  disabled_at: time.nullable(),
  disabled_reason: z
    .enum(["exhausted", "gone"])
    .nullable()
    .describe(
      "`gone`: the subscriber answered 410. `exhausted`: a delivery failed on all attempts and none succeeded since.",
    ),
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

/** Shown only at creation and rotation. */
export const disclosedWebhook = z
  .object({ ...shown, secret: z.string().describe("Signs the deliveries; not shown again.") })
  .meta({
    id: "DisclosedWebhook",
    examples: [{ ...example, secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" }],
  });
export type DisclosedWebhookView = z.output<typeof disclosedWebhook>;

/** The body of a delivery, as Standard Webhooks recommends. */
export const payload = z
  .object({
    type: z.string().describe("Type of the event."),
    timestamp: time.describe("Time of the event."),
    data: z
      .looseObject({
        event_id: idOf("evt", "The event's id."),
        seq: z.int().min(1),
        job_id: jobId,
        run_id: runId.optional(),
        execution_id: executionId.optional(),
      })
      .describe("Ids of the event's subjects, and its data."),
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
