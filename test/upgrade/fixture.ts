// A database as a release left it, written down: the statements that made its schema on either database, its rows, and what
// the release answered about them.
import { readFileSync } from "node:fs";
import { CompiledQuery, Kysely, sql } from "kysely";
import { type DatabaseTarget, openDialect } from "../../src/store/db/dialect.ts";
import type { Schema } from "../../src/store/db/schema.ts";
import { root } from "../ops/service-facts.ts";

type Value = string | number | null | { base64: string };
export type Row = Record<string, Value>;

export interface Statement {
  sql: string;
  parameters: unknown[];
}

export interface Fixture {
  /** The version of package.json, and the commit that wrote the database. */
  release: string;
  build: string;
  schema: Record<DatabaseTarget["kind"], Statement[]>;
  rows: Record<string, Row[]>;
  /** Answers of `GET /v1/jobs/{id}` and of its runs, for jobs that had ended. */
  ended: { job: { id: string }; runs: { id: string }[]; output: unknown }[];
  /** Jobs that had not ended. */
  open: string[];
  submission: { key: string; body: object; id: string };
}

export function pathOf(release: string): string {
  return `${root}/test/upgrade/fixtures/${release}.json`;
}

export function readFixture(release: string): Fixture {
  return JSON.parse(readFileSync(pathOf(release), "utf8")) as Fixture;
}

export function encode(value: unknown): Value {
  return value instanceof Uint8Array ? { base64: Buffer.from(value).toString("base64") } : (value as Value);
}

function decode(value: Value): unknown {
  return typeof value === "object" && value !== null ? Buffer.from(value.base64, "base64") : value;
}

/** Writes the fixture into an empty database. */
export async function load(target: DatabaseTarget, { schema, rows }: Fixture): Promise<void> {
  const db = new Kysely<Schema>({ dialect: openDialect(target) });
  try {
    await db.connection().execute(async (connection) => {
      // Rows come table by table, whatever refers to whatever.
      await sql`${sql.raw(
        target.kind === "sqlite" ? "pragma foreign_keys = off" : "set session_replication_role = replica",
      )}`.execute(connection);
      for (const statement of schema[target.kind])
        await connection.executeQuery(CompiledQuery.raw(statement.sql, statement.parameters));
      for (const [table, all] of Object.entries(rows)) {
        // The schema's own statements have written their first rows already.
        await sql`delete from ${sql.table(table)}`.execute(connection);
        for (const row of all) {
          const names = sql.join(Object.keys(row).map((name) => sql.ref(name)));
          const values = sql.join(Object.values(row).map(decode));
          await sql`insert into ${sql.table(table)} (${names}) values (${values})`.execute(connection);
        }
      }
    });
  } finally {
    await db.destroy();
  }
}
