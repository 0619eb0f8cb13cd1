// The first schema. Column types are chosen so that one text serves SQLite and PostgreSQL: `bigint` for times
// (milliseconds since the epoch), `bytea` for documents (SQLite stores blobs in it unchanged). The CHECKs guard
// the state machine: whatever the code does, a row that is not over has a wake-up and one that is has none.
import { type CreateTableBuilder, type Kysely, SqliteAdapter, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  const isSqlite = db.getExecutor().adapter instanceof SqliteAdapter;
  // Rows rest in the primary key's own tree: SQLite would else keep them in a second one, and write both.
  const clustered = <T extends string, C extends string>(table: CreateTableBuilder<T, C>) =>
    isSqlite ? table.modifyEnd(sql`without rowid`) : table;

  await db.schema
    .createTable("api_keys")
    .addColumn("name", "text", (c) => c.primaryKey())
    .addColumn("served", "bigint", (c) => c.notNull().defaultTo(0))
    .execute();

  await clustered(
    db.schema
      .createTable("jobs")
      .addColumn("id", "text", (c) => c.primaryKey())
      .addColumn("api_key", "text", (c) => c.notNull().references("api_keys.name"))
      .addColumn("name", "text")
      .addColumn("status", "text", (c) =>
        c.notNull().check(sql`status in ('queued', 'active', 'succeeded', 'failed', 'cancelled')`),
      )
      .addColumn("priority", "integer", (c) => c.notNull())
      .addColumn("max_parallel", "integer")
      .addColumn("on_run_failure", "text", (c) =>
        c.notNull().check(sql`on_run_failure in ('continue', 'cancel_rest')`),
      )
      .addColumn("on_lost", "text", (c) => c.notNull().check(sql`on_lost in ('fail', 'retry')`))
      .addColumn("retry_max_attempts", "integer", (c) => c.notNull())
      .addColumn("retry_on", "text", (c) => c.notNull())
      .addColumn("metadata", "text")
      .addColumn("deadline_at", "bigint")
      .addColumn("cancel_mode", "text", (c) => c.check(sql`cancel_mode in ('abort', 'stop')`))
      .addColumn("cancel_cause", "text", (c) =>
        c.check(sql`cancel_cause in ('request', 'deadline', 'run_failure', 'expired')`),
      )
      .addColumn("due_at", "bigint")
      .addColumn("ready_at", "bigint")
      .addColumn("served", "bigint", (c) => c.notNull())
      .addColumn("total", "integer", (c) => c.notNull())
      .addColumn("queued", "integer", (c) => c.notNull().check(sql`queued >= 0`))
      .addColumn("active", "integer", (c) => c.notNull().check(sql`active >= 0`))
      .addColumn("collecting", "integer", (c) => c.notNull().check(sql`collecting >= 0`))
      .addColumn("succeeded", "integer", (c) => c.notNull())
      .addColumn("failed", "integer", (c) => c.notNull())
      .addColumn("cancelled", "integer", (c) => c.notNull())
      .addColumn("created_at", "bigint", (c) => c.notNull())
      .addColumn("started_at", "bigint")
      .addColumn("ended_at", "bigint")
      .addCheckConstraint(
        "jobs_ended_iff_terminal",
        sql`(ended_at is not null) = (status in ('succeeded', 'failed', 'cancelled'))`,
      )
      .addCheckConstraint(
        "jobs_counts_add_up",
        sql`total = queued + active + collecting + succeeded + failed + cancelled`,
      ),
  ).execute();
  await sql`create index jobs_ready on jobs (api_key, priority desc, served, id) where ready_at is not null`.execute(
    db,
  );
  await sql`create index jobs_due on jobs (due_at) where due_at is not null`.execute(db);
  await sql`create index jobs_open on jobs (id) where queued + active + collecting > 0`.execute(db);
  await sql`create index jobs_ended on jobs (ended_at) where ended_at is not null`.execute(db);
  await sql`create index jobs_by_key on jobs (api_key, id)`.execute(db);

  await clustered(
    db.schema
      .createTable("idempotency_keys")
      .addColumn("api_key", "text", (c) => c.notNull())
      .addColumn("key", "text", (c) => c.notNull())
      .addColumn("body_hash", "text", (c) => c.notNull())
      .addColumn("job_id", "text", (c) => c.notNull().references("jobs.id").onDelete("cascade"))
      .addPrimaryKeyConstraint("idempotency_keys_pk", ["api_key", "key"]),
  ).execute();
  await sql`create index idempotency_keys_job on idempotency_keys (job_id)`.execute(db);

  await clustered(
    db.schema
      .createTable("runs")
      .addColumn("id", "text", (c) => c.primaryKey())
      .addColumn("job_id", "text", (c) => c.notNull().references("jobs.id").onDelete("cascade"))
      .addColumn("position", "integer", (c) => c.notNull())
      .addColumn("spec_position", "integer", (c) => c.notNull())
      .addColumn("name", "text")
      .addColumn("kind", "text", (c) =>
        c.notNull().check(sql`kind in ('python', 'image', 'compose', 'gpu_selection')`),
      )
      .addColumn("status", "text", (c) =>
        c
          .notNull()
          .check(sql`status in ('queued', 'active', 'collecting', 'succeeded', 'failed', 'cancelled')`),
      )
      .addColumn("version", "integer", (c) => c.notNull())
      .addColumn("attempt", "integer", (c) => c.notNull())
      .addColumn("timeout_s", "integer", (c) => c.notNull())
      .addColumn("execution_type", "text")
      .addColumn("due_at", "bigint")
      .addColumn("execution_id", "text")
      .addColumn("cancel_mode", "text", (c) => c.check(sql`cancel_mode in ('abort', 'stop')`))
      .addColumn("cancel_cause", "text", (c) =>
        c.check(sql`cancel_cause in ('request', 'deadline', 'run_failure', 'expired')`),
      )
      .addColumn("error_code", "text")
      .addColumn("error_detail", "text")
      .addColumn("retry_of", "text")
      .addColumn("matrix", "text")
      .addColumn("created_at", "bigint", (c) => c.notNull())
      .addColumn("started_at", "bigint")
      .addColumn("ended_at", "bigint")
      .addCheckConstraint("runs_due_iff_queued", sql`(due_at is not null) = (status = 'queued')`)
      .addCheckConstraint(
        "runs_ended_iff_terminal",
        sql`(ended_at is not null) = (status in ('succeeded', 'failed', 'cancelled'))`,
      )
      .addCheckConstraint(
        "runs_execution_while_alive",
        sql`execution_id is not null or status not in ('active', 'collecting', 'succeeded')`,
      )
      .addUniqueConstraint("runs_position", ["job_id", "position"]),
  ).execute();
  await sql`create index runs_queued on runs (job_id, due_at, position) where status = 'queued'`.execute(db);

  await clustered(
    db.schema
      .createTable("specs")
      .addColumn("job_id", "text", (c) => c.notNull().references("jobs.id").onDelete("cascade"))
      .addColumn("position", "integer", (c) => c.notNull())
      .addColumn("spec", "bytea", (c) => c.notNull())
      .addPrimaryKeyConstraint("specs_pk", ["job_id", "position"]),
  ).execute();

  await clustered(
    db.schema
      .createTable("executions")
      .addColumn("id", "text", (c) => c.primaryKey())
      .addColumn("run_id", "text", (c) => c.notNull().references("runs.id").onDelete("cascade"))
      .addColumn("job_id", "text", (c) => c.notNull())
      .addColumn("attempt", "integer", (c) => c.notNull())
      .addColumn("phase", "text", (c) =>
        c.notNull().check(sql`phase in ('submitting', 'watching', 'collecting', 'orphan', 'closed')`),
      )
      .addColumn("status", "text", (c) =>
        c
          .notNull()
          .check(
            sql`status in ('submitting', 'pending', 'starting', 'running', 'completed', 'failed', 'system_failure', 'cancelled', 'aborted', 'rejected', 'lost')`,
          ),
      )
      .addColumn("raw_status", "text")
      .addColumn("version", "integer", (c) => c.notNull())
      .addColumn("due_at", "bigint")
      .addColumn("lyceum_execution_id", "text")
      .addColumn("submitted_at", "bigint", (c) => c.notNull())
      .addColumn("accepted_at", "bigint")
      .addColumn("in_doubt_at", "bigint")
      .addColumn("unseen_ms", "bigint", (c) => c.notNull())
      .addColumn("looked_at", "bigint")
      .addColumn("callback_at", "bigint")
      .addColumn("expected_end_at", "bigint")
      .addColumn("cancel_sent_at", "bigint")
      .addColumn("started_at", "bigint")
      .addColumn("ended_at", "bigint")
      .addColumn("detected_at", "bigint")
      .addColumn("detected_by", "text", (c) => c.check(sql`detected_by in ('callback', 'poll')`))
      .addColumn("timed_out", "integer", (c) => c.notNull())
      .addColumn("return_code", "integer")
      .addColumn("cost", "double precision")
      .addColumn("hardware", "text")
      .addColumn("error", "text")
      .addCheckConstraint("executions_due_iff_open", sql`(due_at is not null) = (phase <> 'closed')`)
      .addCheckConstraint(
        "executions_known_to_lyceum",
        sql`lyceum_execution_id is not null or phase not in ('watching', 'collecting')`,
      )
      .addCheckConstraint(
        "executions_phase_fits_status",
        sql`(phase = 'submitting') = (status = 'submitting') and (phase <> 'watching' or status in ('pending', 'starting', 'running')) and (phase <> 'orphan' or status = 'lost')`,
      )
      .addUniqueConstraint("executions_attempt", ["run_id", "attempt", "id"]),
  ).execute();
  await sql`create index executions_due on executions (due_at) where phase in ('submitting', 'watching', 'orphan')`.execute(
    db,
  );
  await sql`create index executions_collecting on executions (due_at) where phase = 'collecting'`.execute(db);
  await sql`create index executions_submitted on executions (submitted_at)`.execute(db);

  await clustered(
    db.schema
      .createTable("callbacks")
      .addColumn("id", "text", (c) => c.notNull())
      .addColumn("execution_id", "text", (c) => c.notNull().references("executions.id").onDelete("cascade"))
      .addColumn("received_at", "bigint", (c) => c.notNull())
      .addColumn("disposition", "text", (c) =>
        c.notNull().check(sql`disposition in ('received', 'early', 'duplicate', 'late')`),
      )
      .addColumn("content_type", "text")
      .addColumn("body", "bytea", (c) => c.notNull())
      .addColumn("truncated", "integer", (c) => c.notNull())
      .addPrimaryKeyConstraint("callbacks_pk", ["execution_id", "id"]),
  ).execute();

  await db.schema
    .createTable("artifacts")
    .addColumn("execution_id", "text", (c) => c.notNull().references("executions.id").onDelete("cascade"))
    .addColumn("kind", "text", (c) => c.notNull().check(sql`kind in ('record', 'timing', 'logs', 'metrics')`))
    .addColumn("state", "text", (c) => c.notNull().check(sql`state in ('pending', 'stored', 'unavailable')`))
    .addColumn("reason", "text")
    .addColumn("tries", "integer", (c) => c.notNull())
    .addColumn("due_at", "bigint")
    .addColumn("first_tried_at", "bigint")
    .addColumn("fetched_at", "bigint")
    .addColumn("summary", "text")
    .addColumn("document", "bytea")
    .addCheckConstraint("artifacts_due_iff_pending", sql`(due_at is not null) = (state = 'pending')`)
    .addCheckConstraint("artifacts_reason_if_unavailable", sql`state <> 'unavailable' or reason is not null`)
    .addPrimaryKeyConstraint("artifacts_pk", ["execution_id", "kind"])
    .execute();

  await db.schema
    .createTable("events")
    // In SQLite an "integer" key is the row's own number, and anything else an index of its own.
    .addColumn("seq", isSqlite ? "integer" : "bigint", (c) => c.primaryKey())
    .addColumn("id", "text", (c) => c.notNull())
    .addColumn("type", "text", (c) => c.notNull())
    .addColumn("created_at", "bigint", (c) => c.notNull())
    .addColumn("job_id", "text", (c) => c.notNull())
    .addColumn("run_id", "text")
    .addColumn("execution_id", "text")
    .addColumn("data", "text", (c) => c.notNull())
    .execute();
  await sql`create index events_job on events (job_id, seq)`.execute(db);

  await clustered(
    db.schema
      .createTable("counters")
      .addColumn("name", "text", (c) => c.primaryKey())
      .addColumn("value", "bigint", (c) => c.notNull()),
  ).execute();

  await db.schema
    .createTable("pauses")
    .addColumn("call_group", "text", (c) => c.primaryKey())
    .addColumn("until_at", "bigint", (c) => c.notNull())
    .execute();
}
