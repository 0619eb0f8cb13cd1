// Lists of runs: over all jobs newest first, and of one job in any order.
import { type RawBuilder, sql } from "kysely";
import { toNano } from "../domain/cost.ts";
import type { Outcome, RunStatus } from "../domain/run.ts";
import type { RunKind } from "../domain/spec.ts";
import { nextTurn } from "../lib/next-turn.ts";
import type { Db } from "./db/transaction.ts";
import type { RunRow } from "./run-rows.ts";
import { createdBetween, isIn, isWithin, type Scan, type Scanned, SLICE, scan } from "./scan.ts";

export interface RunFilter {
  statuses?: readonly RunStatus[] | undefined;
  outcome?: Outcome | undefined;
  name?: string | undefined;
  kind?: RunKind | undefined;
  /** The profile of the last execution or, while that is unknown, the requested one. */
  hardware?: string | undefined;
  errorCode?: string | undefined;
  errorReason?: string | undefined;
  createdAfter?: number | undefined;
  createdBefore?: number | undefined;
}

export function listAllRuns(
  db: Db,
  filter: RunFilter & { key: string | null },
  before: string | null,
  limit: number,
): Promise<Scanned<RunRow>> {
  return scan<RunRow>(db, runScan(filter, before), limit);
}

export function runScan(filter: RunFilter & { key: string | null }, before: string | null): Scan {
  const { key } = filter;
  const driver = driverOf(filter);
  return {
    table: "runs",
    key: "id",
    order: "desc",
    driver: driver === null ? [] : [driver],
    range: createdBetween("run", filter).range,
    filters: [...(key === null ? [] : [sql`api_key = ${key}`]), ...conditionsOf(filter)],
    after: before,
  };
}

export async function listJobRuns(
  db: Db,
  jobId: string,
  filter: RunFilter,
  { order, after }: { order: "asc" | "desc"; after: number | null },
  limit: number,
): Promise<Scanned<RunRow>> {
  const driver = [sql`job_id = ${jobId}`];
  const filters = conditionsOf(filter);
  return scan<RunRow>(db, { table: "runs", key: "position", order, driver, filters, after }, limit);
}

export type RunMeasure = "duration" | "cost" | "ended_at";

/** Runs without the value come last, whatever the direction. */
export interface Place {
  value: number | null;
  position: number;
}

/** No index holds these values: they are read in slices and sorted here. A job has some 10,000 runs at most. */
export async function listRunsByMeasure(
  db: Db,
  job: { id: string; total: number },
  filter: RunFilter,
  { by, order, after }: { by: RunMeasure; order: "asc" | "desc"; after: Place | null },
  limit: number,
): Promise<{ rows: RunRow[]; next: Place | null }> {
  const compare = order === "asc" ? byValue(1) : byValue(-1);
  const places: Place[] = [];
  for (let from = 0; from < job.total; from += SLICE) {
    places.push(...(await readPlaces(db, job.id, filter, by, from)));
    await nextTurn();
  }
  const rest = (after === null ? places : places.filter((place) => compare(after, place) < 0)).sort(compare);
  const shown = rest.slice(0, limit);
  const rows = await runsAt(
    db,
    job.id,
    shown.map(({ position }) => position),
  );
  return { rows, next: rest.length > limit ? (shown.at(-1) ?? null) : null };
}

function byValue(sign: 1 | -1): (one: Place, other: Place) => number {
  return (one, other) => {
    if (one.value === other.value) return sign * (one.position - other.position);
    if (one.value === null || other.value === null) return one.value === null ? 1 : -1;
    return sign * (one.value - other.value);
  };
}

async function readPlaces(
  db: Db,
  jobId: string,
  filter: RunFilter,
  by: RunMeasure,
  from: number,
): Promise<Place[]> {
  const conditions = sql.join([sql`true`, ...conditionsOf(filter)], sql` and `);
  const { rows } = await sql<Place>`
    select position, ${measures[by]} as value from runs
    where job_id = ${jobId} and position >= ${from} and position < ${from + SLICE} and ${conditions}`.execute(
    db,
  );
  return rows.map(({ position, value }) => {
    if (value === null) return { position, value };
    return { position, value: Math.max(0, by === "cost" ? toNano(value) : Number(value)) };
  });
}

const measures: Record<RunMeasure, RawBuilder<unknown>> = {
  ended_at: sql`ended_at`,
  duration: sql`(select e.ended_at - e.started_at from executions e where e.id = runs.execution_id)`,
  cost: sql`(select sum(e.cost) from executions e where e.run_id = runs.id)`,
};

async function runsAt(db: Db, jobId: string, positions: number[]): Promise<RunRow[]> {
  if (positions.length === 0) return [];
  const query = db.selectFrom("runs").selectAll().where("job_id", "=", jobId);
  const rows = await query.where("position", "in", positions).execute();
  const found = new Map(rows.map((row) => [row.position, row]));
  return positions.flatMap((position) => found.get(position) ?? []);
}

/** Every run that failed or was cancelled has an error code. */
function driverOf(filter: RunFilter & { key: string | null }): RawBuilder<unknown> | null {
  const { statuses, outcome, errorCode, errorReason, key } = filter;
  if (errorReason !== undefined) return sql`error_reason = ${errorReason}`;
  const isUnsuccessful = isWithin(statuses, ["failed", "cancelled"]);
  if (isUnsuccessful || errorCode !== undefined || (outcome !== undefined && outcome !== "succeeded"))
    return sql`error_code is not null`;
  if (isWithin(statuses, ["queued", "active", "collecting"])) return sql`ended_at is null`;
  return key === null ? null : sql`api_key = ${key}`;
}

function conditionsOf(filter: RunFilter): RawBuilder<unknown>[] {
  const { statuses, outcome, name, kind, hardware, errorCode, errorReason } = filter;
  return [
    ...createdBetween("run", filter).exact,
    ...(statuses === undefined ? [] : [isIn("status", statuses)]),
    ...(outcome === undefined ? [] : [sql`outcome = ${outcome}`]),
    ...(name === undefined ? [] : [sql`name = ${name}`]),
    ...(kind === undefined ? [] : [sql`kind = ${kind}`]),
    ...(errorCode === undefined ? [] : [sql`error_code = ${errorCode}`]),
    ...(errorReason === undefined ? [] : [sql`error_reason = ${errorReason}`]),
    ...(hardware === undefined ? [] : [isOn(hardware)]),
  ];
}

function isOn(hardware: string): RawBuilder<unknown> {
  const known = sql`(select e.hardware from executions e where e.id = runs.execution_id)`;
  return sql`coalesce(${known}, execution_type) = ${hardware}`;
}
