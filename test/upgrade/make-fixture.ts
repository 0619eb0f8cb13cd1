// npm run upgrade:fixture: writes down the database of this build for the upgrade test of the next
// release. Run it once per release, on the commit that is released.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { Kysely } from "kysely";
import { Migrator } from "kysely/migration";
import { migrations } from "../../migrations/index.ts";
import packageJson from "../../package.json" with { type: "json" };
import { type DatabaseTarget, openDialect } from "../../src/store/db/dialect.ts";
import type { Schema } from "../../src/store/db/schema.ts";
import { startPostgresServer } from "../support/postgres-server.ts";
import { image, type Service, startService } from "../support/service.ts";
import { encode, type Fixture, pathOf, type Row, type Statement } from "./fixture.ts";

const postgres = await startPostgresServer([]);
try {
  const schema = {
    sqlite: await schemaOf({ kind: "sqlite", path: ":memory:" }),
    postgres: await schemaOf({ kind: "postgres", url: `${postgres.url}/postgres` }),
  };
  const build = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  const fixture: Fixture = { release: packageJson.version, build, schema, ...(await live()) };
  writeFileSync(pathOf(fixture.release), `${JSON.stringify(fixture, null, 1)}\n`);
  console.log(`wrote ${pathOf(fixture.release)}`);
} finally {
  await postgres.stop();
}

/** The statements by which the migrations make the schema, with the migrator's own tables. */
async function schemaOf(target: DatabaseTarget): Promise<Statement[]> {
  const statements: Statement[] = [];
  const db = new Kysely<Schema>({
    dialect: openDialect(target),
    log({ query }) {
      if (/^\s*(create|alter|insert|update|drop|delete)\b/i.test(query.sql))
        statements.push({ sql: query.sql, parameters: [...query.parameters] });
    },
  });
  const { error } = await new Migrator({
    db,
    provider: { getMigrations: async () => migrations },
  }).migrateToLatest();
  await db.destroy();
  if (error !== undefined) throw error;
  return statements;
}

/** A service's life with jobs in every state, ended by a crash. */
async function live(): Promise<Pick<Fixture, "rows" | "ended" | "open" | "submission">> {
  await using service = await startService({ settings: { RETENTION: "3650d" } });
  const body = { name: "kept", runs: [{ kind: "python", code: "print(6 * 7)" }], metadata: { n: 1 } };
  const answer = await service.ann.post("/v1/jobs", body, { "Idempotency-Key": "fixture-1" });
  const ids: string[] = [answer.body.id];
  const matrix = { SEED: ["1", "2", "3"] };
  ids.push((await service.submit({ runs: [image("", { matrix })] })).id);
  const retry = { max_attempts: 2, on: ["failed"] };
  ids.push((await service.submit({ runs: [image("exit=3")], retry, on_run_failure: "cancel_rest" })).id);
  const cancelled = await service.submit({ runs: [image("delay=50s")] });
  await service.ann.post(`/v1/jobs/${cancelled.id}/cancel`);
  ids.push(cancelled.id);
  for (const id of ids) await service.ended(id);
  const alive = await service.submit({ runs: [image("delay=50s")], deadline_s: 86_400 });
  await service.soleRun(alive.id, ({ executions }) => executions[0]?.status === "running");
  service.network.lyceumIsUp = false;
  const queued = await service.submit({ runs: [image(), image()], max_parallel: 1, priority: 5 });
  return {
    rows: rowsOf(service),
    ended: await Promise.all(ids.map((id) => viewOf(service, id))),
    open: [alive.id, queued.id],
    submission: { key: "fixture-1", body, id: answer.body.id },
  };
}

async function viewOf(service: Service, id: string): Promise<Fixture["ended"][number]> {
  const runs = await service.runsOf(id);
  const output = (await service.ann.get(`/v1/runs/${runs[0]?.id}/output`)).body;
  return { job: (await service.ann.get(`/v1/jobs/${id}`)).body, runs, output };
}

function rowsOf(service: Service): Fixture["rows"] {
  const tables = service.rows(
    "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' and name not like 'kysely_%'",
  );
  return Object.fromEntries(
    tables.map(({ name }) => [
      name,
      service
        .rows(`select * from "${name}"`)
        .map((row) =>
          Object.fromEntries(Object.entries(row).map(([column, value]) => [column, encode(value)])),
        ) as Row[],
    ]),
  );
}
