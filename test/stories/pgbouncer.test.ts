// PgBouncer between the service and PostgreSQL.
import { sql } from "kysely";
import pg from "pg";
import { expect, test } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import { idSource } from "../../src/lib/id.ts";
import { poolerMode } from "../../src/store/db/pooler.ts";
import { openStore } from "../../src/store/store.ts";
import { proctor } from "../cli/command.ts";
import { createDatabase } from "../support/databases.ts";
import { hasPgBouncer, startPgBouncer } from "../support/pgbouncer.ts";
import { apiKeys, callbackSecret, image, lyceumKey, startService, until } from "../support/service.ts";

async function directUrl(): Promise<{ url: string } & AsyncDisposable> {
  const { target, remove } = await createDatabase(false);
  if (target.kind !== "postgres") throw new Error("no PostgreSQL");
  return { url: target.url, [Symbol.asyncDispose]: remove };
}

test.skipIf(!hasPgBouncer)("two instances work through a pooler in transaction mode", async () => {
  await using direct = await directUrl();
  await using pooler = await startPgBouncer(direct.url, "transaction");
  const settings = { DATABASE_URL: pooler.url, DATABASE_LISTEN_URL: direct.url, SUBMIT_CONCURRENCY: "1" };
  await using service = await startService({ settings });
  await using other = await startService({
    settings: { ...settings, LYCEUM_BASE_URL: service.emulator.url, PUBLIC_URL: service.url() },
  });
  await using client = await connected(direct.url);
  const listening = "select from pg_stat_activity where query = 'listen proctor'";
  await until("both to listen", async () => (await client.query(listening)).rowCount === 2);
  const heard = new Set<string | undefined>();
  client.on("notification", ({ payload }) => heard.add(payload?.split(" ")[0]));
  await client.query("listen proctor");

  const jobs = await Promise.all(
    Array.from({ length: 6 }, (_, index) =>
      (index % 2 === 0 ? service : other).submit({ runs: [image(), image()] }),
    ),
  );
  for (const { id } of jobs)
    expect((await service.ended(id)).map(({ status }) => status)).toEqual(["succeeded", "succeeded"]);
  expect(heard.size).toBe(2);
  expect((await service.status()).instances).toHaveLength(2);
});

test.skipIf(!hasPgBouncer)("the bounds of a transaction hold behind a pooler, and only in it", async () => {
  await using direct = await directUrl();
  await using pooler = await startPgBouncer(direct.url, "transaction", 1);
  const store = openStore({ kind: "postgres", url: pooler.url }, systemClock, idSource(systemClock));
  const bounds = sql<{ idle: string; lock: string; statement: string }>`
    select current_setting('idle_in_transaction_session_timeout') as idle,
      current_setting('lock_timeout') as lock, current_setting('statement_timeout') as statement`;
  const inside = await store.write(async ({ db }) => (await bounds.execute(db)).rows[0]);
  expect(inside).toEqual({ idle: "5s", lock: "5s", statement: "30s" });
  const outside = (await bounds.execute(store.db)).rows[0];
  expect(outside).toEqual({ idle: "0", lock: "0", statement: "0" });
  await store.close();
});

test.skipIf(!hasPgBouncer)("the doctor names the pooler's mode", async () => {
  await using direct = await directUrl();
  for (const mode of ["session", "transaction", "statement"] as const) {
    await using pooler = await startPgBouncer(direct.url, mode);
    expect(await poolerMode(pooler.url)).toBe(mode);
    const env = {
      LYCEUM_API_KEY: lyceumKey,
      LYCEUM_BASE_URL: "http://127.0.0.1:9",
      API_KEYS: `ann:${apiKeys.ann}`,
      CALLBACK_SECRETS: callbackSecret,
      DATABASE_URL: pooler.url,
    };
    const { stdout } = await proctor("http://127.0.0.1:9", ["doctor"], { env });
    expect(stdout).toMatch(said[mode]);
  }
});

const said = {
  session: /✔ postgres +answers; connections are not shared by a pooler/,
  transaction: /✔ postgres +answers, through a pooler in transaction mode/,
  statement: /✘ postgres +the pooler is in statement mode/,
};

async function connected(url: string) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}
