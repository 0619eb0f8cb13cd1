// Databases with a history of jobs, runs and executions, written in bulk: each run is a copy of one that the service's
// own code has brought into its state.
import { closeSync, fsyncSync, openSync } from "node:fs";
import SqliteDatabase from "better-sqlite3";
import { openBenchStore } from "./context.ts";
import { type RowState, type Template, type TemplateRow, templateOf } from "./template.ts";

export async function createDatabase(path: string): Promise<void> {
  const store = openBenchStore(path);
  await store.migrate();
  await store.close();
}

interface Rows {
  /** The number of the first run; it makes the ids unique. A multiple of `runsPerJob`. */
  from: number;
  count: number;
  runsPerJob?: number;
  /** With events, callbacks and artifacts. */
  whole?: boolean;
  /** Age of all rows. */
  agoMs?: number;
}

/** Adds runs with their jobs, specs and executions. */
export async function addRuns(path: string, state: RowState, rows: Rows): Promise<void> {
  const { from, count, whole = false, agoMs = 0 } = rows;
  const template = await templateOf(state, agoMs);
  const database = new SqliteDatabase(path);
  database.pragma("synchronous = OFF");
  database.pragma("busy_timeout = 30000");
  database.exec("insert into api_keys (name) values ('bench') on conflict do nothing");
  const tables = whole ? wholeTables : wholeTables.slice(0, 4);
  const lastSeq = database.prepare("select coalesce(max(seq), 0) from events").pluck().get() as number;
  for (let first = from; first < from + count; first += ROWS_AT_ONCE) {
    const last = Math.min(first + ROWS_AT_ONCE, from + count) - 1;
    database.transaction(() => {
      for (const table of tables)
        for (const [index, row] of template[table].entries())
          copy(database, table, row, { ...rows, first, last, index, lastSeq, template });
    })();
  }
  if (whole)
    database.exec(`insert into counters (name, value) select 'events', max(seq) from events where true
    on conflict (name) do update set value = excluded.value`);
  database.pragma("wal_checkpoint(TRUNCATE)");
  database.close();
  sync(path);
}

/** Otherwise the service's first checkpoint would wait until the disk has all rows. */
function sync(path: string): void {
  const file = openSync(path, "r+");
  fsyncSync(file);
  closeSync(file);
}

export const executionId = (number: number) => `exe_${String(number).padStart(26, "0")}`;
export const jobId = (number: number) => `job_${String(number).padStart(26, "0")}`;

const ROWS_AT_ONCE = 50_000;
/** Referenced tables first. */
const wholeTables = ["jobs", "specs", "runs", "executions", "artifacts", "callbacks", "events"] as const;
type Table = (typeof wholeTables)[number];

interface Copying extends Rows {
  first: number;
  last: number;
  /** The row's place among those of its table. */
  index: number;
  lastSeq: number;
  template: Template;
}

/** Inserts a template's row once per run, or once per job. */
function copy(database: SqliteDatabase.Database, table: Table, row: TemplateRow, copying: Copying): void {
  const { first, last, from, count, runsPerJob = 100, index, lastSeq, template } = copying;
  const isOfJob = table === "jobs" || table === "specs" || (table === "events" && row.run_id === null);
  const size = `min(${runsPerJob}, ${from + count} - i)`;
  const changed = changedColumns(table, { size, runsPerJob, seq: lastSeq + 1 + index, template });
  const columns = Object.keys(row).filter((column) => row[column] !== null);
  const values = columns.map((column) => changed[column] ?? `@${column}`);
  const step = isOfJob ? runsPerJob : 1;
  const start = Math.ceil(first / step) * step;
  if (start > last) return;
  database
    .prepare(
      `with recursive n(i) as (select ${start} union all select i + ${step} from n where i + ${step} <= ${last})
       insert into ${table} (${columns.join(", ")}) select ${values.join(", ")} from n`,
    )
    .run(Object.fromEntries(columns.map((column) => [column, row[column]])));
}

/** SQL of the columns that differ from one copy to the next; `i` is the number of the run. */
function changedColumns(
  table: Table,
  {
    size,
    runsPerJob,
    seq,
    template,
  }: Record<"size", string> & Record<"runsPerJob" | "seq", number> & { template: Template },
): Record<string, string> {
  const id = (prefix: string, number = "i") => `printf('${prefix}_%026d', ${number})`;
  const job = id("job", `i / ${runsPerJob}`);
  const counts = ["total", "queued", "active", "collecting", "succeeded", "failed", "cancelled"];
  switch (table) {
    case "jobs":
      return { id: job, ...Object.fromEntries(counts.map((name) => [name, `@${name} * ${size}`])) };
    case "specs":
      return { job_id: job };
    case "runs":
      return { id: id("run"), job_id: job, position: `i % ${runsPerJob}`, execution_id: id("exe") };
    case "executions":
      return {
        ...{ id: id("exe"), run_id: id("run"), job_id: job },
        ...{ lyceum_execution_id: "printf('lyceum-%d', i)", due_at: "@due_at - i % 1000" },
      };
    case "artifacts":
      return { execution_id: id("exe") };
    case "callbacks":
      return { id: id("cbk"), execution_id: id("exe") };
    case "events":
      return {
        seq: `${seq} + i * ${template.events.length}`,
        ...{ job_id: job, run_id: id("run"), execution_id: id("exe") },
      };
  }
}
