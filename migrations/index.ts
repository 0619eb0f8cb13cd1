// Every migration, in order; forward only. Add the new file at the end and never edit one that has shipped.
import type { Migration } from "kysely/migration";
import { up as initial } from "./20261121T2300_initial.ts";
import { up as usage } from "./20261122T0010_usage.ts";
import { up as webhooks } from "./20261122T0020_webhooks.ts";
import { up as overrides } from "./20261122T0030_overrides.ts";
import { up as pauses } from "./20261122T0040_pauses.ts";
import { up as idempotency } from "./20261122T0050_idempotency.ts";
import { up as starts } from "./20261129T0100_starts.ts";
import { up as returncode } from "./20261129T0105_returncode.ts";
import { up as outcomes } from "./20261129T0120_outcomes.ts";
import { up as deletedKeys } from "./20261129T0140_deletedkeys.ts";
import { up as encoding } from "./20261129T0150_encoding.ts";

export const migrations: Record<string, Migration> = {
  "20261121T2300_initial": { up: initial },
  "20261122T0010_usage": { up: usage },
  "20261122T0020_webhooks": { up: webhooks },
  "20261122T0030_overrides": { up: overrides },
  "20261122T0040_pauses": { up: pauses },
  "20261122T0050_idempotency": { up: idempotency },
  "20261129T0100_starts": { up: starts },
  "20261129T0105_returncode": { up: returncode },
  "20261129T0120_outcomes": { up: outcomes },
  "20261129T0140_deletedkeys": { up: deletedKeys },
  "20261129T0150_encoding": { up: encoding },
};
