// The caller and the service's settings as the API shows them.
import { z } from "zod";

export const whoami = z
  .object({
    name: z.string().describe("The name of the API key."),
    role: z.enum(["submit", "read", "admin"]),
  })
  .meta({ id: "Whoami", examples: [{ name: "alice", role: "submit" }] });
export type WhoamiView = z.output<typeof whoami>;

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
