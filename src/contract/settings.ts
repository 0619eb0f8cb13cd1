// The caller and the service's settings as the API shows them.
import { z } from "zod";
import { count, credits, time } from "./field.ts";

export const whoami = z
  .object({
    name: z.string().describe("The name of the API key."),
    role: z.enum(["submit", "read", "admin"]),
  })
  .meta({ id: "Whoami", examples: [{ name: "alice", role: "submit" }] });
export type WhoamiView = z.output<typeof whoami>;

const window = {
  window_ms: count.describe("Length of the window; windows are counted from 1970-01-01 UTC."),
  resets_at: time.describe("End of the present window."),
};

const apiKey = z
  .object({
    ...whoami.shape,
    budget: z
      .object({
        ...window,
        limit: credits,
        spent: credits.describe("In the present window."),
        reached: z.boolean().describe("No run of the key starts before `resets_at`."),
      })
      .meta({ id: "KeyBudget" })
      .nullable()
      .describe("By KEY_BUDGETS."),
    quota: z
      .object({
        ...window,
        limit: count.describe("Runs that may be submitted per window."),
        used: count.describe("Runs submitted in the present window."),
        max_waiting: count.nullable().describe("Runs that may wait at once; null: no limit."),
      })
      .meta({ id: "KeyQuota" })
      .nullable()
      .describe("By KEY_QUOTAS."),
  })
  .meta({
    id: "ApiKey",
    examples: [
      {
        name: "alice",
        role: "submit",
        budget: {
          window_ms: 86_400_000,
          resets_at: "2026-02-01T00:00:00.000Z",
          limit: 50,
          spent: 38.2,
          reached: false,
        },
        quota: null,
      },
    ],
  });
export type ApiKeyView = z.output<typeof apiKey>;

export const apiKeys = z
  .object({ data: z.array(apiKey), next_cursor: z.null().describe("All rows are in one answer.") })
  .meta({ id: "ApiKeys", examples: [] });
export type ApiKeysView = z.output<typeof apiKeys>;

const setting = z
  .object({
    name: z.string().describe("The name of the environment variable."),
    value: z
      .string()
      .nullable()
      .describe("As the environment would write it; null: not set, and no default."),
    redacted: z.boolean().describe("`[hidden]` stands in the value in place of secrets."),
  })
  .meta({ id: "Setting", examples: [{ name: "POLL_INTERVAL_MAX", value: "1m", redacted: false }] });

export const settings = z.object({ data: z.array(setting), next_cursor: z.null() }).meta({
  id: "Settings",
  examples: [{ data: [{ name: "POLL_INTERVAL_MAX", value: "1m", redacted: false }], next_cursor: null }],
});
export type SettingsView = z.output<typeof settings>;
