// The bodies of the webhook routes.
import { z } from "zod";
import { audibleTypes, isWebhookSecret, urlProblem } from "../domain/webhook.ts";

/** As far as it can be judged on the face of it; where it leads is looked up by the route. */
export const webhookUrl = z.string().superRefine((url, context) => {
  const message = urlProblem(url);
  if (message !== null) context.addIssue({ code: "custom", message });
});

const secret = z
  .string()
  .refine(isWebhookSecret, "must be whsec_ and 24 to 64 bytes in base64")
  .optional()
  .describe("Made by Proctor if left out; shown in this answer and never again.");

export const webhookBody = z.strictObject({
  url: webhookUrl.describe("HTTPS, to a public address."),
  types: z
    .array(z.enum(audibleTypes))
    .min(1)
    .max(audibleTypes.length)
    .describe("Event types; all of a kind as `job.*`, all as `*`."),
  secret,
});

export const rotateBody = z.strictObject({ secret });
