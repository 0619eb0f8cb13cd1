// Numbers for charts: counted in the transaction that they report, by minute for a day, then by hour.
import { CompiledQuery, sql } from "kysely";
import { nextTurn } from "../lib/next-turn.ts";
import { getOrAdd, perDatabase } from "./db/statements.ts";
import type { Db } from "./db/transaction.ts";

export type Step = "1m" | "1h";
export const stepMs = { "1m": 60_000, "1h": 3_600_000 } as const;

/** The last value counts, not the sum. */
const levels = ["waiting", "alive"] as const;
export type Level = (typeof levels)[number];

interface StatRow {
  at: number;
  name: string;
  instance: string;
  value: number;
}

export async function addStats(
  db: Db,
  now: number,
  instance: string,
  counts: ReadonlyMap<string, number>,
): Promise<void> {
  const at = startOf("1m", now);
  await upsert(
    db,
    "1m",
    [...counts].map(([name, value]) => ({ at, name, instance, value })),
  );
}

export async function setLevels(
  db: Db,
  now: number,
  instance: string,
  values: Record<Level, number>,
): Promise<void> {
  const at = startOf("1m", now);
  await upsert(
    db,
    "1m",
    levels.map((name) => ({ at, name, instance, value: values[name] })),
  );
}

/** In one order of the rows: concurrent transactions on PostgreSQL would deadlock otherwise. */
async function upsert(db: Db, step: Step, rows: StatRow[]): Promise<void> {
  const sorted = rows.toSorted((a, b) => a.at - b.at || (a.name < b.name ? -1 : 1));
  for (let from = 0; from < sorted.length; from += ROWS_AT_ONCE) {
    const some = sorted.slice(from, from + ROWS_AT_ONCE);
    const text = getOrAdd(upsertTexts(db), some.length, () => upsertText(db, some.length));
    const values = some.flatMap(({ at, name, instance, value }) => [step, at, name, instance, value]);
    await db.executeQuery(CompiledQuery.raw(text, values));
  }
}

const ROWS_AT_ONCE = 256;
const upsertTexts = perDatabase(() => new Map<number, string>());

function upsertText(db: Db, rows: number): string {
  const row = sql`(${null}, ${null}, ${null}, ${null}, ${null})`;
  const isLevel = sql`excluded.name in (${sql.join(levels.map((name) => sql.lit(name)))})`;
  return sql`insert into stats (step, at, name, instance, value) values ${sql.join(Array(rows).fill(row))}
    on conflict (step, at, name, instance) do update
    set value = case when ${isLevel} then excluded.value else stats.value + excluded.value end`.compile(db)
    .sql;
}

export interface StatPoint {
  at: number;
  values: Map<string, number>;
}

/**
 * From `from` (inclusive) to `to` (exclusive), oldest first. Hours that are still minutes are added up. A level carries
 * on until the next one: it is only written when it changes.
 */
export async function readStats(db: Db, step: Step, from: number, to: number): Promise<StatPoint[]> {
  const points = new Map<number, StatPoint>();
  const add = (rows: StatRow[]) => {
    for (const { at, name, value } of rows) {
      const start = startOf(step, at);
      const point = getOrAdd(points, start, () => ({ at: start, values: new Map() }));
      const isSet = isLevel(name);
      point.values.set(name, isSet ? value : (point.values.get(name) ?? 0) + value);
    }
  };
  if (step === "1h") add(await readRows(db, "1h", from, to));
  for (let at = await nextMinute(db, from, to); at !== null; ) {
    const end = Math.min(to, at + MINUTES_AT_ONCE * stepMs["1m"]);
    add(await readRows(db, "1m", at, end));
    await nextTurn();
    at = await nextMinute(db, end, to);
  }
  return [...points.values()].sort((one, other) => one.at - other.at);
}

const MINUTES_AT_ONCE = 120;

async function nextMinute(db: Db, from: number, to: number): Promise<number | null> {
  const query = db.selectFrom("stats").select("at").where("step", "=", "1m").where("at", ">=", from);
  return (await query.where("at", "<", to).orderBy("at").limit(1).executeTakeFirst())?.at ?? null;
}

/** Sums over all instances; of levels the highest. */
async function readRows(db: Db, step: Step, from: number, to: number): Promise<StatRow[]> {
  const { rows } = await sql<StatRow & { most: number }>`
    select at, name, '' as instance, sum(value) as value, max(value) as most from stats
    where step = ${step} and at >= ${from} and at < ${to} group by at, name order by at`.execute(db);
  return rows.map(({ at, name, instance, value, most }) => {
    return { at, name, instance, value: Number(isLevel(name) ? most : value) };
  });
}

export async function levelsBefore(db: Db, at: number): Promise<Map<string, number>> {
  const known = new Map<string, number>();
  for (const step of ["1m", "1h"] as const) {
    const query = db.selectFrom("stats").select(["at", "name", "value"]).where("step", "=", step);
    const last = await query
      .where("at", "<", at)
      .where("name", "in", levels)
      .orderBy("at", "desc")
      .limit(levels.length)
      .execute();
    for (const { name, value } of last.toReversed())
      if (step === "1m" || !known.has(name)) known.set(name, value);
  }
  return known;
}

export async function sumSince(db: Db, since: number, prefix: string): Promise<Map<string, number>> {
  const { rows } = await sql<{ name: string; value: number }>`
    select name, sum(value) as value from stats
    where step = '1m' and at >= ${since} and name >= ${prefix} and name < ${`${prefix}~`} group by name`.execute(
    db,
  );
  return new Map(rows.map(({ name, value }) => [name.slice(prefix.length), Number(value)]));
}

/** Turns the oldest hour of minutes into one row per number. False if there is none. */
export async function foldOldestHour(db: Db, endedBefore: number): Promise<boolean> {
  const minutes = db.selectFrom("stats").select("at").where("step", "=", "1m");
  const oldest = await minutes.orderBy("at").limit(1).executeTakeFirst();
  if (oldest === undefined) return false;
  const at = startOf("1h", oldest.at);
  const end = at + stepMs["1h"];
  if (end > endedBefore) return false;
  // Rows that another instance has deleted are already added up.
  const rows = await db
    .deleteFrom("stats")
    .where("step", "=", "1m")
    .where("at", ">=", at)
    .where("at", "<", end)
    .returning(["at", "name", "instance", "value"])
    .execute();
  const hour = new Map<string, StatRow>();
  for (const row of rows.toSorted((a, b) => a.at - b.at)) {
    const before = isLevel(row.name) ? 0 : (hour.get(row.name)?.value ?? 0);
    hour.set(row.name, { at, name: row.name, instance: "", value: before + row.value });
  }
  await upsert(db, "1h", [...hour.values()]);
  return true;
}

export async function deleteHoursBefore(db: Db, before: number): Promise<void> {
  await db.deleteFrom("stats").where("step", "=", "1h").where("at", "<", before).execute();
}

export function startOf(step: Step, at: number): number {
  return at - (at % stepMs[step]);
}

function isLevel(name: string): boolean {
  return (levels as readonly string[]).includes(name);
}
