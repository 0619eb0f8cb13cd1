// The list of jobs, newest first.
import { type RawBuilder, sql } from "kysely";
import type { JobStatus } from "../domain/job.ts";
import type { Db } from "./db/transaction.ts";
import type { JobRow } from "./jobs.ts";
import { createdBetween, isIn, isWithin, type Scan, type Scanned, scan } from "./scan.ts";

export interface JobFilter {
  key?: string | null | undefined;
  statuses?: readonly JobStatus[] | undefined;
  name?: string | undefined;
  createdAfter?: number | undefined;
  createdBefore?: number | undefined;
  before?: string | null | undefined;
}

export function listJobs(db: Db, filter: JobFilter, limit: number): Promise<Scanned<JobRow>> {
  return scan<JobRow>(db, jobScan(filter), limit);
}

export function jobScan(filter: JobFilter): Scan {
  const { key, statuses, name, before = null } = filter;
  const times = createdBetween("job", filter);
  const driver = driverOf(filter);
  return {
    table: "jobs",
    key: "id",
    order: "desc",
    driver: driver === null ? [] : [driver],
    range: times.range,
    filters: [
      ...times.exact,
      ...(key == null ? [] : [sql`api_key = ${key}`]),
      ...(statuses === undefined ? [] : [isIn("status", statuses)]),
      ...(name === undefined ? [] : [sql`name = ${name}`]),
    ],
    after: before,
  };
}

/** The condition that leaves the fewest index entries. Words stand in the statement where an index is partial. */
function driverOf({ name, statuses, key }: JobFilter): RawBuilder<unknown> | null {
  if (name !== undefined) return sql`name = ${name}`;
  if (isWithin(statuses, ["queued", "active"])) return sql`ended_at is null`;
  if (isWithin(statuses, ["failed", "cancelled"])) return sql`status in ('failed', 'cancelled')`;
  return key == null ? null : sql`api_key = ${key}`;
}
