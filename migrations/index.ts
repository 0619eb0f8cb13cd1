// Every migration, in order; forward only. Add the new file at the end and never edit one that has shipped.
import type { Migration } from "kysely/migration";
import * as initial from "./20261121T2300_initial.ts";
import * as usage from "./20261122T0010_usage.ts";
import * as webhooks from "./20261122T0020_webhooks.ts";

export const migrations: Record<string, Migration> = {
  "20261121T2300_initial": initial,
  "20261122T0010_usage": usage,
  "20261122T0020_webhooks": webhooks,
};
