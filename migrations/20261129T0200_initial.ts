// The schema of the first release. One text serves SQLite and PostgreSQL: `bigint` for times (milliseconds since the
// epoch), `bytea` for documents (SQLite stores blobs in it unchanged). Credits are whole billionths (`_nano`), so that
// sums do not drift. The CHECKs guard the state machine: an unfinished row has a wake-up, a finished row has none.
import { type Kysely, SqliteAdapter, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  const isSqlite = db.getExecutor().adapter instanceof SqliteAdapter;
  for (const table of tables(isSqlite)) await sql.raw(table).execute(db);
  for (const index of indexes(isSqlite)) await sql.raw(`create ${index}`).execute(db);
}

function tables(isSqlite: boolean): string[] {
  // SQLite then stores rows in the primary key's own tree, instead of writing two trees.
  const clustered = isSqlite ? "without rowid" : "";
  // In SQLite an "integer" key is the row's own number, and any other type needs an index.
  const rowNumber = isSqlite ? "integer" : "bigint";
  // Exit statuses of Windows are unsigned: 32 bits do not fit into PostgreSQL's integer.
  const exitStatus = isSqlite ? "integer" : "bigint";
  return [
    `create table api_keys (
      name text primary key, last_served_seq bigint not null default 0,
      budget_nano bigint, budget_window_ms bigint, window_started_at bigint, window_spent_nano bigint, held_until bigint
    )`,
    `create table jobs (
      id text primary key, api_key text not null references api_keys (name), name text,
      status text not null check (status in ('queued', 'active', 'succeeded', 'failed', 'cancelled')),
      priority integer not null, max_parallel integer,
      on_run_failure text not null check (on_run_failure in ('continue', 'cancel_rest')),
      on_lost text not null check (on_lost in ('fail', 'retry')),
      retry_max_attempts integer not null, retry_on text not null,
      metadata text, deadline_at bigint,
      cancel_mode text check (cancel_mode in ('abort', 'stop')),
      cancel_cause text check (cancel_cause in ('request', 'deadline', 'run_failure', 'expired')),
      due_at bigint, ready_at bigint, last_served_seq bigint not null, total integer not null,
      queued integer not null check (queued >= 0), active integer not null check (active >= 0),
      collecting integer not null check (collecting >= 0),
      succeeded integer not null, failed integer not null, cancelled integer not null,
      created_at bigint not null, started_at bigint, ended_at bigint,
      billed_nano bigint not null default 0 check (billed_nano >= 0),
      estimated_nano bigint not null default 0 check (estimated_nano >= 0),
      unpriced bigint not null default 0 check (unpriced >= 0),
      budget_nano bigint,
      budget_reached_at bigint check (budget_reached_at is null or budget_nano is not null and ready_at is null),
      deletion_requested_at bigint, deletion_due_at bigint check ((deletion_due_at is null) = (deletion_requested_at is null)),
      webhook_url text,
      idempotency_key text, body_hash text check ((body_hash is null) = (idempotency_key is null)),
      constraint jobs_ended_iff_terminal check (
        (ended_at is not null) = (status in ('succeeded', 'failed', 'cancelled'))),
      constraint jobs_counts_add_up check (total = queued + active + collecting + succeeded + failed + cancelled)
    ) ${clustered}`,
    `create table runs (
      id text primary key, job_id text not null references jobs (id) on delete cascade,
      position integer not null, spec_position integer not null, name text,
      kind text not null check (kind in ('python', 'image', 'compose', 'gpu_selection')),
      status text not null check (status in ('queued', 'active', 'collecting', 'succeeded', 'failed', 'cancelled')),
      version integer not null, attempt integer not null, timeout_s integer not null, execution_type text,
      due_at bigint, execution_id text,
      cancel_mode text check (cancel_mode in ('abort', 'stop')),
      cancel_cause text check (cancel_cause in ('request', 'deadline', 'run_failure', 'expired')),
      error_code text, error_detail text, retry_of text, matrix text,
      created_at bigint not null, started_at bigint, ended_at bigint,
      outcome text check (outcome in ('succeeded', 'failed', 'cancelled')),
      constraint runs_due_iff_queued check ((due_at is not null) = (status = 'queued')),
      constraint runs_ended_iff_terminal check (
        (ended_at is not null) = (status in ('succeeded', 'failed', 'cancelled'))),
      constraint runs_execution_while_alive check (
        execution_id is not null or status not in ('active', 'collecting', 'succeeded')),
      constraint runs_status_fits_outcome check (
        (outcome is null) = (status in ('queued', 'active'))
        and (outcome = status or status in ('queued', 'active', 'collecting'))),
      constraint runs_position unique (job_id, position)
    ) ${clustered}`,
    `create table specs (
      job_id text not null references jobs (id) on delete cascade, position integer not null,
      spec bytea not null, policy text,
      constraint specs_pk primary key (job_id, position)
    ) ${clustered}`,
    `create table executions (
      id text primary key, run_id text not null references runs (id) on delete cascade, job_id text not null,
      attempt integer not null,
      phase text not null check (phase in ('submitting', 'watching', 'collecting', 'orphan', 'closed')),
      status text not null check (status in ('submitting', 'pending', 'starting', 'running', 'completed', 'failed',
        'system_failure', 'cancelled', 'aborted', 'rejected', 'lost')),
      raw_status text, version integer not null, due_at bigint, lyceum_execution_id text,
      submitted_at bigint not null, accepted_at bigint, in_doubt_at bigint, unseen_ms bigint not null,
      checked_at bigint, callback_at bigint, expected_end_at bigint, cancel_sent_at bigint,
      started_at bigint, ended_at bigint,
      detected_at bigint, detected_by text check (detected_by in ('callback', 'poll')),
      timed_out integer not null, return_code ${exitStatus}, cost double precision, hardware text, error text,
      cost_source text check (cost_source is null or cost_source in ('billed', 'estimated') and cost is not null),
      remote_deleted_at bigint, doubt text check (doubt in ('unanswered', 'unavailable')), previous_id text,
      constraint executions_due_iff_open check ((due_at is not null) = (phase <> 'closed')),
      constraint executions_known_to_lyceum check (
        lyceum_execution_id is not null or phase not in ('watching', 'collecting')),
      constraint executions_phase_fits_status check (
        (phase = 'submitting') = (status = 'submitting')
        and (phase <> 'watching' or status in ('pending', 'starting', 'running'))
        and (phase <> 'orphan' or status = 'lost')),
      constraint executions_attempt unique (run_id, attempt, id)
    ) ${clustered}`,
    `create table callbacks (
      id text not null, execution_id text not null references executions (id) on delete cascade,
      received_at bigint not null,
      disposition text not null check (disposition in ('received', 'early', 'duplicate', 'late')),
      content_type text, body bytea not null, truncated integer not null, content_encoding text,
      constraint callbacks_pk primary key (execution_id, id)
    ) ${clustered}`,
    `create table artifacts (
      execution_id text not null references executions (id) on delete cascade,
      kind text not null check (kind in ('record', 'timing', 'logs', 'metrics')),
      state text not null check (state in ('pending', 'stored', 'unavailable')),
      reason text, tries integer not null, due_at bigint, first_tried_at bigint, fetched_at bigint,
      summary text, document bytea,
      constraint artifacts_due_iff_pending check ((due_at is not null) = (state = 'pending')),
      constraint artifacts_reason_if_unavailable check (state <> 'unavailable' or reason is not null),
      constraint artifacts_pk primary key (execution_id, kind)
    )`,
    `create table events (
      seq ${rowNumber} primary key, type text not null, created_at bigint not null,
      job_id text not null, run_id text, execution_id text, data text not null
    )`,
    `create table counters (name text primary key, value bigint not null) ${clustered}`,
    "create table pauses (call_group text primary key, until_at bigint not null, since_at bigint)",
    `create table start_pause (
      id integer primary key check (id = 1), reason text not null, detail text not null, since_at bigint not null,
      failures integer not null, saved_at bigint not null, probe_at bigint not null
    )`,
    `create table usage (
      day text not null, api_key text not null, executions bigint not null, duration_ms bigint not null,
      billed_nano bigint not null, estimated_nano bigint not null, unpriced bigint not null,
      constraint usage_pk primary key (day, api_key)
    )`,
    `create table machine_types (
      hardware_profile text primary key, price_per_hour double precision, available integer, fetched_at bigint not null
    )`,
    `create table webhooks (
      id text primary key, api_key text not null, all_jobs integer not null, url text not null, types text not null,
      secrets text not null, created_at bigint not null, failing_since bigint, disabled_at bigint,
      disabled_reason text check (disabled_reason in ('exhausted', 'gone')),
      constraint webhooks_reason_iff_disabled check ((disabled_reason is not null) = (disabled_at is not null))
    )`,
    `create table deliveries (
      id text primary key, webhook_id text references webhooks (id) on delete cascade, destination text not null,
      url text not null, job_id text not null, event_id text not null, type text not null, payload text not null,
      state text not null check (state in ('pending', 'delivered', 'failed')),
      reason text check (reason in ('exhausted', 'gone', 'webhook_disabled')),
      due_at bigint, attempts integer not null, first_tried_at bigint, log text not null,
      created_at bigint not null, ended_at bigint,
      constraint deliveries_due_iff_pending check ((due_at is not null) = (state = 'pending')),
      constraint deliveries_ended_iff_over check ((ended_at is not null) = (state <> 'pending')),
      constraint deliveries_reason_iff_failed check ((reason is not null) = (state = 'failed'))
    )`,
    `create table deleted_keys (
      api_key text not null, idempotency_key text not null, deleted_at bigint not null,
      primary key (api_key, idempotency_key)
    )`,
  ];
}

function indexes(isSqlite: boolean): string[] {
  // SQLite ends every entry of an index with the row's number anyway.
  const eventOrder = isSqlite ? "" : ", seq";
  return [
    "index jobs_ready on jobs (api_key, priority desc, last_served_seq, id) where ready_at is not null",
    "index jobs_due on jobs (due_at) where due_at is not null",
    "index jobs_open on jobs (id) where queued + active + collecting > 0",
    "index jobs_ended on jobs (ended_at) where ended_at is not null",
    "index jobs_by_key on jobs (api_key, id)",
    "index jobs_deletion_due on jobs (deletion_due_at) where deletion_due_at is not null",
    "unique index jobs_idempotency on jobs (api_key, idempotency_key) where idempotency_key is not null",
    "index runs_queued on runs (job_id, due_at, position) where status = 'queued'",
    "index executions_due on executions (due_at) where phase in ('submitting', 'watching', 'orphan')",
    "index executions_collecting on executions (due_at) where phase = 'collecting'",
    "index executions_submitted on executions (submitted_at)",
    "index executions_lyceum_id on executions (lyceum_execution_id) where lyceum_execution_id is not null",
    `index events_job on events (job_id${eventOrder})`,
    "index webhooks_enabled on webhooks (id) where disabled_at is null",
    "index deliveries_destination on deliveries (destination, due_at, id) where due_at is not null",
    "index deliveries_ended on deliveries (ended_at) where ended_at is not null",
    "index deliveries_webhook on deliveries (webhook_id, id)",
    "index deliveries_job on deliveries (job_id, id)",
    "index deleted_keys_by_time on deleted_keys (deleted_at)",
  ];
}
