// Row types of the tables about the service itself: its instances, limits, numbers and what a restore left.
import type { Generated } from "kysely";
import type { CostSource } from "../../domain/cost.ts";

/** Times are the database's own. */
export interface InstancesTable {
  id: string;
  version: string;
  started_at: number;
  beat_at: number;
  clock_offset_ms: number;
}

export interface RolesTable {
  name: string;
  holder: string;
  until_at: number;
}

/** Calls that count against the limits, whichever instance makes them. */
export interface PlacesTable {
  /** The execution of a start; an id of its own for any other call. */
  execution_id: string;
  call_group: Generated<string>;
  taken_at: number;
  /** When it stops counting; null while its request is under way. */
  free_at: number | null;
}

/** Limits as Lyceum's answers tell them; null where an answer tells none. */
export interface QuotasTable {
  call_group: string;
  max_calls: number | null;
  remaining: number | null;
  resets_at: number | null;
  reported_at: number;
}

/** Pauses of calls to Lyceum, so that a restart does not forget a 429. */
export interface PausesTable {
  call_group: string;
  until_at: number;
  since_at: number | null;
}

export interface StartPauseTable {
  id: number;
  reason: string;
  detail: string;
  since_at: number;
  failures: number;
  saved_at: number;
  probe_at: number;
}

export interface SessionsTable {
  id_hash: string;
  api_key: string;
  /** Proves that the name still has the same key. */
  key_proof: string;
  expires_at: number;
}

export interface CountersTable {
  name: string;
  value: number;
}

/** Numbers for charts, one row per minute or hour, name and instance. */
export interface StatsTable {
  step: "1m" | "1h";
  at: number;
  name: string;
  /** Empty where all instances are added up. */
  instance: string;
  value: number;
}

/** Executions that ended on a day (UTC), by key. Stored longer than the jobs. */
export interface UsageTable {
  day: string;
  api_key: string;
  executions: number;
  duration_ms: number;
  billed_nano: number;
  estimated_nano: number;
  unpriced: number;
}

export interface HardwareUsageTable extends UsageTable {
  hardware: string;
  /** The part of the duration in which a GPU was measured as idle. */
  idle_ms: number;
}

/** `available` is null if Lyceum did not report it. */
export interface MachineTypesTable {
  hardware_profile: string;
  price_per_hour: number | null;
  available: number | null;
  fetched_at: number;
}

export interface FoundStartsTable {
  execution_id: string;
  run_id: string;
  attempt: number;
  lyceum_execution_id: string;
  raw_status: string;
}

export interface StraysTable {
  execution_id: string;
  lyceum_execution_id: string;
  file_name: string | null;
  raw_status: string;
  hardware: string | null;
  found_at: number;
  started_at: number | null;
  ended_at: number | null;
  cost: number | null;
  cost_source: CostSource | null;
  /** Null once end and cost are settled. */
  due_at: number | null;
}
