// The service's books as anyone could read them: the database file over a connection of its own, in plain SQL.
// It sees what is committed and nothing else.
import SqliteDatabase from "better-sqlite3";

export interface JobEntry {
  id: string;
  name: string;
  status: string;
  on_run_failure: string;
  on_lost: string;
  retry_max_attempts: number;
  retry_on: string;
  max_parallel: number | null;
  deadline_at: number | null;
  cancel_mode: string | null;
  due_at: number | null;
  ready_at: number | null;
  total: number;
  queued: number;
  active: number;
  collecting: number;
  succeeded: number;
  failed: number;
  cancelled: number;
  ended_at: number | null;
  deleted_at: number | null;
}

export interface RunEntry {
  id: string;
  job_id: string;
  status: string;
  attempt: number;
  due_at: number | null;
  execution_id: string | null;
  cancel_cause: string | null;
  cancel_mode: string | null;
  outcome: string | null;
  error_code: string | null;
  ended_at: number | null;
}

export interface ExecutionEntry {
  id: string;
  run_id: string;
  job_id: string;
  attempt: number;
  phase: string;
  status: string;
  due_at: number | null;
  lyceum_execution_id: string | null;
  in_doubt_at: number | null;
  cost: number | null;
  cost_source: string | null;
}

/** An execution that is not closed. */
export interface OpenEntry {
  id: string;
  phase: string;
  version: number;
  due_at: number;
}

export interface EventEntry {
  seq: number;
  type: string;
  job_id: string;
  run_id: string | null;
  execution_id: string | null;
}

export interface ArtifactEntry {
  execution_id: string;
  kind: string;
  state: string;
  /** JSON. */
  summary: string | null;
  document: Buffer | null;
}

export type Books = ReturnType<typeof openBooks>;

/** The books at one moment. */
export interface Snapshot {
  jobs: JobEntry[];
  runs: RunEntry[];
  executions: ExecutionEntry[];
  /** Callbacks that are acknowledged and not filed. */
  inbox: { id: string }[];
}

export function openBooks(path: string) {
  const database = new SqliteDatabase(path);
  database.pragma("query_only = ON");
  const all = <T>(sql: string) => {
    const statement = database.prepare<unknown[], T>(sql);
    return (...given: unknown[]) => statement.all(...given);
  };
  const version = database.prepare("pragma data_version").pluck();
  let seen = -1;
  const callbacks = all<{ count: number }>(
    `select count(*) as count from
      (select execution_id from callbacks union all select execution_id from inbox) where execution_id = ?`,
  );
  const inbox = all<{ id: string }>("select id from inbox order by id");
  const tables = ["jobs where id", "runs where job_id", "specs where job_id", "executions where job_id"];
  tables.push("events where job_id");
  const counts = tables.map((table) => `(select count(*) from ${table} = ?)`);
  const rowsOf = all<{ count: number }>(`select ${counts.join(" + ")} as count`);
  const jobs = all<JobEntry>("select * from jobs order by id");
  const runs = all<RunEntry>(
    `select id, job_id, status, attempt, due_at, execution_id, cancel_cause, cancel_mode, outcome, error_code,
     ended_at
     from runs order by job_id, position`,
  );
  const run = all<Pick<RunEntry, "cancel_mode">>("select cancel_mode from runs where id = ?");
  const columns = `id, run_id, job_id, attempt, phase, status, due_at, lyceum_execution_id, in_doubt_at, cost,
    cost_source`;
  const executions = all<ExecutionEntry>(`select ${columns} from executions order by run_id, attempt, id`);
  const execution = all<ExecutionEntry>(`select ${columns} from executions where id = ?`);
  const instance = all("select 1 from instances where id = ?");
  const open = all<OpenEntry>("select id, phase, version, due_at from executions where phase <> 'closed'");
  const pauses = all("select 1 from start_pause");
  const holder = all<{ holder: string }>("select holder from roles where name = ?");
  return {
    /** True if anything was committed since the last call. */
    hasChanged(): boolean {
      const before = seen;
      seen = version.get() as number;
      return seen !== before;
    },
    jobs,
    runs,
    executions,
    eventsAfter: all<EventEntry>(
      "select seq, type, job_id, run_id, execution_id from events where seq > ? order by seq",
    ),
    artifacts: all<ArtifactEntry>("select execution_id, kind, state, summary, document from artifacts"),
    run: (id: string) => run(id)[0] ?? null,
    execution: (id: string): ExecutionEntry | null => execution(id)[0] ?? null,
    open,
    /** Rows of a job, whether or not the job's own is there. */
    rowsOf: (jobId: string): number => rowsOf(...Array(tables.length).fill(jobId))[0]?.count ?? 0,
    /** True while the row of that instance is there. */
    knowsInstance: (id: string): boolean => instance(id).length > 0,
    /** True while starts wait for a probe. */
    isPaused: () => pauses().length > 0,
    holderOf: (role: string): string | null => holder(role)[0]?.holder ?? null,
    callbacksOf: (id: string): number => callbacks(id)[0]?.count ?? 0,
    snapshot: (): Snapshot => ({ jobs: jobs(), runs: runs(), executions: executions(), inbox: inbox() }),
    close: () => void database.close(),
  };
}
