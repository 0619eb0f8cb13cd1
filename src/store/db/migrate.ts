// Bringing the schema up to date, or finding that a newer version has done so and whether this one can live with it.
import { Kysely, sql } from "kysely";
import { Migrator } from "kysely/migration";
import { migrations } from "../../../migrations/index.ts";
import { DatabaseRefused } from "../../lib/database-error.ts";
import { whileBusy } from "./busy-retry.ts";
import { type DatabaseTarget, nameOf, openDialect } from "./dialect.ts";
import type { Schema } from "./schema.ts";
import type { Db } from "./transaction.ts";

/** Applies what is missing, and answers the names. @throws DatabaseRefused */
export async function migrate(db: Db, target: DatabaseTarget, known = migrations): Promise<string[]> {
  if (await isNewer(db, target, known)) return [];
  try {
    return await whileBusy(() => apply(db, target, known));
  } catch (error) {
    // A newer version may have come first.
    if (await isNewer(db, target, known)) return [];
    throw error;
  }
}

export async function isMigrated(db: Db): Promise<boolean> {
  const migrated = new Set(await appliedTo(db));
  return Object.keys(migrations).every((name) => migrated.has(name));
}

/** On PostgreSQL over a connection of its own, on which statements may take their time. */
async function apply(db: Db, target: DatabaseTarget, known: typeof migrations): Promise<string[]> {
  const patient =
    target.kind === "sqlite"
      ? db
      : new Kysely<Schema>({ dialect: openDialect({ ...target, pool: 2, silentMs: null }) });
  try {
    // Branches that were merged bring migrations that are older than some which have run.
    const options = { provider: { getMigrations: async () => known }, allowUnorderedMigrations: true };
    const { error, results } = await new Migrator({ db: patient, ...options }).migrateToLatest();
    if (error !== undefined) throw error;
    return (results ?? []).map((result) => result.migrationName);
  } finally {
    if (patient !== db) await patient.destroy();
  }
}

/** True when a newer version has migrated the database and this version can live with that. */
async function isNewer(db: Db, target: DatabaseTarget, known: typeof migrations): Promise<boolean> {
  const ours = Object.keys(known).sort();
  const applied = await appliedTo(db);
  const foreign = applied.filter((name) => !(name in known));
  if (foreign.length === 0) return false;
  const floor = await floorOf(db);
  const isBeginning = ours.every((name, index) => applied[index] === name);
  if (isBeginning && floor <= levelOf(ours.at(-1) ?? "")) return true;
  throw new DatabaseRefused(
    78,
    `${nameOf(target)} was written by a newer Proctor (${foreign.join(", ")}): upgrade, or restore a backup`,
  );
}

/** In the order of their names; none of a database that is new. */
async function appliedTo(db: Db): Promise<string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some(({ name }) => name === MIGRATIONS)) return [];
  const { rows } = await sql<{
    name: string;
  }>`select name from ${sql.table(MIGRATIONS)} order by name`.execute(db);
  return rows.map(({ name }) => name);
}

const MIGRATIONS = "kysely_migration";

/** The level below which a version cannot live with the schema; a migration raises it. */
async function floorOf(db: Db): Promise<number> {
  const query = db.selectFrom("counters").select("value").where("name", "=", "schema_floor");
  return (await query.executeTakeFirst())?.value ?? 0;
}

/** The time in a migration's name, as a number: 202611290120. */
function levelOf(name: string): number {
  return Number(name.slice(0, 13).replace("T", ""));
}
