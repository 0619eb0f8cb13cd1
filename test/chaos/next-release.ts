// Loaded into a service before its own code: with CHAOS_RELEASE=next it is a release with one more migration, which adds
// a column as the first half of an expand-and-contract change. The present release must live with the result.
import { registerHooks } from "node:module";

const nextMigration = `
import { sql } from "kysely";
migrations["29990101T0000_next"] = {
  up: async (db) => void (await sql.raw("alter table runs add column next_note text default 'none'").execute(db)),
};
`;

if (process.env.CHAOS_RELEASE === "next")
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (!url.endsWith("/migrations/index.ts")) return loaded;
      return { ...loaded, source: `${loaded.source}${nextMigration}` };
    },
  });
