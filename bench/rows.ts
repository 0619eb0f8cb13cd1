// Databases with a history of jobs, runs and executions, written in bulk.
import SqliteDatabase from "better-sqlite3";
import { systemClock } from "../src/lib/clock.ts";
import { idSource } from "../src/lib/id.ts";
import { openStore, type Store } from "../src/store/store.ts";

export function openBenchStore(path: string): Store {
  return openStore({ kind: "sqlite", path }, systemClock, idSource(systemClock));
}

export async function createDatabase(path: string): Promise<void> {
  const store = openBenchStore(path);
  await store.migrate();
  await store.close();
}

/** queued: not started. live: at Lyceum, not due for an hour. due: at Lyceum, check due. ended: succeeded. */
export type RowState = "queued" | "live" | "due" | "ended";

/** Adds runs with their executions, in jobs of 100. `from` makes the ids unique. */
export function addRuns(
  path: string,
  state: RowState,
  { from, count }: { from: number; count: number },
): void {
  const database = new SqliteDatabase(path);
  database.pragma("synchronous = OFF");
  database.pragma("busy_timeout = 30000");
  database.function("instant", { deterministic: true }, () => now);
  const now = Date.now();
  database.exec("insert into api_keys (name, last_served_seq) values ('bench', 0) on conflict do nothing");
  for (let first = from; first < from + count; first += ROWS_AT_ONCE) {
    const last = Math.min(first + ROWS_AT_ONCE, from + count) - 1;
    database.transaction(() => {
      for (const statement of statements(state)) database.prepare(statement).run({ first, last });
    })();
  }
  database.pragma("wal_checkpoint(TRUNCATE)");
  database.close();
}

export const executionId = (number: number) => `exe_${String(number).padStart(26, "0")}`;
export const jobId = (number: number) => `job_${String(number).padStart(26, "0")}`;

const ROWS_AT_ONCE = 50_000;
const RUNS_A_JOB = 100;

function statements(state: RowState): string[] {
  const of = shapes[state];
  const numbers = (step: number) =>
    `with recursive n(i) as (select @first union all select i + ${step} from n where i + ${step} <= @last)`;
  const id = (prefix: string, number: string) => `printf('${prefix}_%026d', ${number})`;
  const job = id("job", `i / ${RUNS_A_JOB}`);
  return [
    `${numbers(RUNS_A_JOB)} insert into jobs (id, api_key, name, status, priority, on_run_failure, on_lost,
       retry_max_attempts, retry_on, last_served_seq, total, queued, active, collecting, succeeded, failed, cancelled,
       ready_at, created_at, started_at, ended_at)
     select ${job}, 'bench', 'bench', '${of.job}', 0, 'continue', 'fail', 3, '[]', i, size,
       ${of.run === "queued" ? "size" : 0}, ${of.run === "active" ? "size" : 0}, 0,
       ${of.run === "succeeded" ? "size" : 0}, 0, 0,
       ${of.run === "queued" ? "instant()" : "null"}, instant(), ${of.startedAt}, ${of.endedAt}
     from (select i, min(${RUNS_A_JOB}, @last - i + 1) as size from n)`,
    `${numbers(1)} insert into runs (id, job_id, position, spec_position, name, kind, status, outcome, version, attempt,
       timeout_s, execution_type, due_at, execution_id, created_at, started_at, ended_at)
     select ${id("run", "i")}, ${job}, i % ${RUNS_A_JOB}, 0, 'run', 'python', '${of.run}',
       ${of.run === "succeeded" ? "'succeeded'" : "null"}, 1, 1, 60, 'cpu', ${of.run === "queued" ? "instant()" : "null"}, ${of.phase === null ? "null" : id("exe", "i")}, instant(),
       ${of.startedAt}, ${of.endedAt} from n`,
    ...(of.phase === null
      ? []
      : [
          `${numbers(1)} insert into executions (id, run_id, job_id, attempt, phase, status, raw_status, version,
             due_at, lyceum_execution_id, submitted_at, accepted_at, unseen_ms, timed_out, started_at, ended_at)
           select ${id("exe", "i")}, ${id("run", "i")}, ${job}, 1, '${of.phase}', '${of.status}', 'x', 2,
             ${of.dueAt}, printf('lyceum-%d', i), instant() - 90000000, instant(), 0, 0, ${of.startedAt},
             ${of.endedAt} from n`,
        ]),
  ];
}

interface Shape {
  job: string;
  run: string;
  phase: string | null;
  status: string;
  dueAt: string;
  startedAt: string;
  endedAt: string;
}

const atLyceum = { job: "active", run: "active", phase: "watching", status: "running" };
const shapes: Record<RowState, Shape> = {
  queued: {
    job: "queued",
    run: "queued",
    phase: null,
    status: "",
    dueAt: "",
    startedAt: "null",
    endedAt: "null",
  },
  live: { ...atLyceum, dueAt: "instant() + 3600000", startedAt: "instant()", endedAt: "null" },
  due: { ...atLyceum, dueAt: "instant() - 1000 - i % 1000", startedAt: "instant()", endedAt: "null" },
  ended: {
    job: "succeeded",
    run: "succeeded",
    phase: "closed",
    status: "completed",
    dueAt: "null",
    startedAt: "instant()",
    endedAt: "instant()",
  },
};
