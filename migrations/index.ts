// Every migration, in order; forward only. Add the new file at the end and never edit one that has shipped.
import type { Migration } from "kysely/migration";
import { up as initial } from "./20261129T0200_initial.ts";
import { up as sessions } from "./20261129T0400_sessions.ts";
import { up as lists } from "./20261130T0100_lists.ts";
import { up as instances } from "./20261130T0200_instances.ts";
import { up as quotas } from "./20261130T0910_quotas.ts";
import { up as restored } from "./20261130T0920_restored.ts";
import { up as streamingUrl } from "./20261130T0930_streaming-url.ts";
import { up as stats } from "./20261130T1000_stats.ts";
import { up as traces } from "./20261130T1010_traces.ts";
import { up as hardwareUsage } from "./20261130T1030_hardware-usage.ts";
import { up as deletions } from "./20261130T1040_deletions.ts";
import { up as inbox } from "./20261130T1050_inbox.ts";
import { up as inDoubt } from "./20261130T1060_in-doubt.ts";
import { up as callPlaces } from "./20261130T1070_call-places.ts";

export const migrations: Record<string, Migration> = {
  "20261129T0200_initial": { up: initial },
  "20261129T0400_sessions": { up: sessions },
  "20261130T0100_lists": { up: lists },
  "20261130T0200_instances": { up: instances },
  "20261130T0910_quotas": { up: quotas },
  "20261130T0920_restored": { up: restored },
  "20261130T0930_streaming-url": { up: streamingUrl },
  "20261130T1000_stats": { up: stats },
  "20261130T1010_traces": { up: traces },
  "20261130T1030_hardware-usage": { up: hardwareUsage },
  "20261130T1040_deletions": { up: deletions },
  "20261130T1050_inbox": { up: inbox },
  "20261130T1060_in-doubt": { up: inDoubt },
  "20261130T1070_call-places": { up: callPlaces },
};
