// Signing in to the dashboard.
import { z } from "zod";

export const signInBody = z
  .strictObject({
    key: z
      .string()
      .regex(/^[\x21-\x7e]{32,512}$/, "must be an API key: 32 characters or more without white space")
      .describe("An API key, or the one-time key of a sign-in link."),
  })
  .meta({ id: "SignInRequest" });
