// Brings the schema up to date, or decides whether this version can work with the schema of a newer one.
import { Kysely, sql } from "kysely";
import { Migrator } from "kysely/migration";
import { migrations } from "../../../migrations/index.ts";
import { DatabaseRefused } from "../../lib/database-error.ts";
import { retryWhileBusy } from "./busy-retry.ts";
import { type DatabaseTarget, nameOf, openDialect } from "./dialect.ts";
import type { Schema } from "./schema.ts";
import type { Db } from "./transaction.ts";

/** Returns the names of the applied migrations. @throws DatabaseRefused */
export async function migrate(db: Db, target: DatabaseTarget, known = migrations): Promise<string[]> {
  if ((await isNewer(db, target, known)) || (await hasAll(db, known))) return [];
  try {
    return await retryWhileBusy(() => apply(db, target, known));
  } catch (error) {
    // A newer version may have migrated meanwhile.
    if (await isNewer(db, target, known)) return [];
    throw error;
  }
}

export function isMigrated(db: Db): Promise<boolean> {
  return hasAll(db, migrations);
}

async function hasAll(db: Db, known: typeof migrations): Promise<boolean> {
  const migrated = new Set(await appliedTo(db));
  return Object.keys(known).every((name) => migrated.has(name));
}

/** On PostgreSQL by a connection of its own, without the bounds on a statement's duration. */
async function apply(db: Db, target: DatabaseTarget, known: typeof migrations): Promise<string[]> {
  const unbounded =
    target.kind === "sqlite"
      ? db
      : new Kysely<Schema>({ dialect: openDialect({ ...target, pool: 2, silentMs: null }) });
  try {
    // A merged branch may bring a migration that is older than the last one applied.
    const options = { provider: { getMigrations: async () => known }, allowUnorderedMigrations: true };
    const { error, results } = await new Migrator({ db: unbounded, ...options }).migrateToLatest();
    if (error !== undefined) throw error;
    return (results ?? []).map((result) => result.migrationName);
  } finally {
    if (unbounded !== db) await unbounded.destroy();
  }
}

/** A newer version has migrated the database, and this version can work with it. */
async function isNewer(db: Db, target: DatabaseTarget, known: typeof migrations): Promise<boolean> {
  const ours = Object.keys(known).sort();
  const applied = await appliedTo(db);
  const foreign = applied.filter((name) => !(name in known));
  if (foreign.length === 0) return false;
  const hasOurs = ours.every((name, index) => applied[index] === name);
  if (hasOurs && (await floorOf(db)) <= levelOf(ours.at(-1) ?? "")) return true;
  const former = foreign.filter((name) => name < (ours[0] ?? ""));
  if (former.length > 0)
    throw new DatabaseRefused(
      78,
      `${nameOf(target)} was made by a build from before the first release (${former.join(", ")}) and cannot be upgraded: name an empty database, or go back to that build`,
    );
  throw new DatabaseRefused(
    78,
    `${nameOf(target)} was written by a newer Proctor (${foreign.join(", ")}): upgrade, or restore a backup`,
  );
}

async function appliedTo(db: Db): Promise<string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some(({ name }) => name === MIGRATIONS)) return [];
  const { rows } = await sql<{
    name: string;
  }>`select name from ${sql.table(MIGRATIONS)} order by name`.execute(db);
  return rows.map(({ name }) => name);
}

const MIGRATIONS = "kysely_migration";

/** The lowest level that can work with the schema; a migration raises it. */
async function floorOf(db: Db): Promise<number> {
  const query = db.selectFrom("counters").select("value").where("name", "=", "schema_floor");
  return (await query.executeTakeFirst())?.value ?? 0;
}

function levelOf(name: string): number {
  return Number(name.slice(0, 13).replace("T", ""));
}
