// Gauges of the service's state, kept in memory, so that a scrape costs no query.
import { Gauge, type Registry } from "@prometheus-io/client";

const unfinishedStatuses = ["queued", "active", "collecting"] as const;
const circuitStates = ["closed", "open", "half_open"] as const;
const callbackModes = ["healthy", "unproven", "absent"] as const;
const costSources = ["billed", "estimated"] as const;
const strayStates = ["open", "settled"] as const;

/** `remaining` is null where no limit is known. */
interface LimitLevel {
  remaining: number | null;
  pausedMs: number;
}

/** The same for all instances. */
export interface DatabaseState {
  runs: Record<(typeof unfinishedStatuses)[number], number>;
  inDoubt: number;
  oldestWaitingMs: number;
  costToday: Record<(typeof costSources)[number], number>;
  databaseBytes: number;
  /** Null on PostgreSQL. */
  walBytes: number | null;
  webhookBacklog: number;
  /** Callbacks that are acknowledged and not filed, and how long the oldest has waited. */
  inbox: { callbacks: number; oldestMs: number };
  instances: number;
  strays: Record<(typeof strayStates)[number], number>;
  /** Limits that several instances keep together, by bucket. */
  sharedLimits: Record<string, LimitLevel>;
}

export interface ProcessState {
  circuit: (typeof circuitStates)[number];
  callbackMode: (typeof callbackModes)[number];
  buckets: Record<string, LimitLevel>;
  openStreams: number;
  /** Null without BACKUP_DIR. */
  backup: { ageMs: number; bytes: number; intervalMs: number } | null;
}

export type StateMetrics = ReturnType<typeof createStateMetrics>;

/** Series exist from the start, except those of limits that are not known. */
export function createStateMetrics(registry: Registry) {
  const gauge = <L extends string = never>(name: string, help: string, labelNames: L[] = []) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const runs = gauge("proctor_runs", "Unfinished runs by status", ["status"]);
  const inDoubt = gauge("proctor_in_doubt_executions", "Starts whose answers were lost, being searched for");
  const oldestWaiting = gauge(
    "proctor_oldest_waiting_seconds",
    "Age of the oldest job with a run that waits for its start; 0 without one",
  );
  const costToday = gauge(
    "proctor_cost_today_credits",
    "Cost of the executions that ended today (UTC), as billed by Lyceum or estimated",
    ["source"],
  );
  const databaseBytes = gauge("proctor_database_bytes", "Size of the database");
  const walBytes = gauge("proctor_wal_bytes", "Size of SQLite's write-ahead log; 0 on PostgreSQL");
  const webhookBacklog = gauge(
    "proctor_webhook_backlog",
    "Deliveries that are not done, counted up to 10000",
  );
  const inboxCallbacks = gauge(
    "proctor_inbox_callbacks",
    "Callbacks that are acknowledged and not filed, counted up to 10000",
  );
  const inboxOldest = gauge(
    "proctor_inbox_oldest_seconds",
    "Age of the oldest callback that is not filed; 0 without one",
  );
  const instances = gauge("proctor_instances", "Instances that share the database");
  const circuit = gauge("proctor_circuit", "1 for the state of the circuit breaker to Lyceum", ["state"]);
  const callbackHealth = gauge("proctor_callback_health", "1 for the verdict on Lyceum's callbacks", [
    "state",
  ]);
  const limitRemaining = gauge("proctor_limit_remaining", "Calls left in Lyceum's limit", ["bucket"]);
  const pauseSeconds = gauge(
    "proctor_pause_seconds",
    "Time until calls go on after a 429; 0 without a pause",
    ["bucket"],
  );
  const strays = gauge(
    "proctor_strays",
    "Executions at Lyceum that a restore found without their runs; open until their cost is known",
    ["state"],
  );
  const backupAge = gauge(
    "proctor_backup_age_seconds",
    "Age of the newest verified backup, or of the process if there is none; 0 without BACKUP_DIR",
  );
  const backupInterval = gauge("proctor_backup_interval_seconds", "BACKUP_INTERVAL; 0 without BACKUP_DIR");
  const backupBytes = gauge("proctor_backup_bytes", "Size of the newest verified backup; 0 if there is none");
  const openStreams = gauge("proctor_open_streams", "Open long polls and event streams");

  function setLimit(bucket: string, { remaining, pausedMs }: LimitLevel): void {
    pauseSeconds.set({ bucket }, pausedMs / 1000);
    if (remaining === null) limitRemaining.remove({ bucket });
    else limitRemaining.set({ bucket }, remaining);
  }

  return {
    setDatabaseState(state: DatabaseState): void {
      for (const status of unfinishedStatuses) runs.set({ status }, state.runs[status]);
      inDoubt.set(state.inDoubt);
      oldestWaiting.set(state.oldestWaitingMs / 1000);
      for (const source of costSources) costToday.set({ source }, state.costToday[source]);
      databaseBytes.set(state.databaseBytes);
      walBytes.set(state.walBytes ?? 0);
      webhookBacklog.set(state.webhookBacklog);
      inboxCallbacks.set(state.inbox.callbacks);
      inboxOldest.set(state.inbox.oldestMs / 1000);
      instances.set(state.instances);
      for (const word of strayStates) strays.set({ state: word }, state.strays[word]);
      for (const [bucket, level] of Object.entries(state.sharedLimits)) setLimit(bucket, level);
    },

    setProcessState(state: ProcessState): void {
      for (const word of circuitStates) circuit.set({ state: word }, word === state.circuit ? 1 : 0);
      for (const word of callbackModes)
        callbackHealth.set({ state: word }, word === state.callbackMode ? 1 : 0);
      for (const [bucket, level] of Object.entries(state.buckets)) setLimit(bucket, level);
      openStreams.set(state.openStreams);
      const { ageMs, intervalMs, bytes } = state.backup ?? NO_BACKUPS;
      backupAge.set(ageMs / 1000);
      backupInterval.set(intervalMs / 1000);
      backupBytes.set(bytes);
    },
  };
}

const NO_BACKUPS = { ageMs: 0, intervalMs: 0, bytes: 0 };
