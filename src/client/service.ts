// What the service answers about itself: its state, hardware, usage, webhooks and callbacks.
import type { Cost } from "./answer.ts";

interface Percentiles {
  p50: number;
  p95: number;
  samples: number;
}

export interface Status {
  version: string;
  accepting: boolean;
  queue: {
    depth: number;
    live: number;
    collecting: number;
    in_doubt: number;
    oldest_waiting_at: string | null;
    /** More than zero is a bug of the service. */
    without_wakeup: number;
  };
  callbacks: {
    mode: "callbacks" | "polling_only";
    health: "healthy" | "unproven" | "absent";
    judged: number;
    recently_missed: number;
    detection_delay_ms: { callback: Percentiles | null; poll: Percentiles | null };
    rejected: number;
    received?: number;
    early?: number;
    duplicate?: number;
    late?: number;
    missed?: number;
  };
  lyceum: {
    circuit: { state: string; failures: number; retry_at: string | null };
    /** Absent in services from before starts paused together. */
    starts?: {
      state: "flowing" | "paused";
      reason: "unreachable" | "unavailable" | "unauthorized" | "unfunded" | "unknown" | "restarted" | null;
      detail: string | null;
      since: string | null;
      next_probe_at: string | null;
    };
    limits: Record<
      string,
      {
        limit: { max: number; window_ms: number } | null;
        used: number;
        remaining: number | null;
        resets_at: string | null;
        paused_until: string | null;
        waiting: number;
        running: number;
      }
    >;
  };
  database: { kind: string; bytes: number | null };
  /** The processes that share the database; absent in services from before there could be several. */
  instances?: {
    id: string;
    version: string;
    started_at: string;
    last_seen_at: string;
    clock_offset_ms: number;
  }[];
}

export interface MachineTypes {
  data: { hardware_profile: string; price_per_hour: number | null; available: boolean | null }[];
  fetched_at: string | null;
}

interface Used {
  executions: number;
  duration_ms: number;
  cost: Cost;
}

export interface Usage {
  from: string;
  to: string;
  data: (Used & { day?: string; key?: string })[];
  total: Used;
}

export interface Callback {
  id: string;
  execution_id: string;
  received_at: string | null;
  disposition: string;
  content_type: string | null;
  content_encoding: string | null;
  /** Null: it may hold secrets, and is shown to others alone. */
  body: string | null;
  body_encoding: "utf8" | "base64" | null;
  /** The encodings already removed from the body: `gzip`, `utf-16le`… */
  decoded_from: string | null;
  note: string | null;
  truncated: boolean;
}

export interface Webhook {
  id: string;
  url: string;
  types: string[];
  api_key: string;
  scope: "all_jobs" | "own_jobs";
  status: "ok" | "failing" | "disabled";
  created_at: string | null;
  failing_since: string | null;
  disabled_at: string | null;
  disabled_reason: string | null;
}

/** Shown at creation and rotation, and never again. */
export interface WebhookWithSecret extends Webhook {
  secret: string;
}

export interface Delivery {
  id: string;
  webhook_id: string | null;
  job_id: string | null;
  event_id: string | null;
  type: string;
  url: string;
  state: "pending" | "delivered" | "failed";
  reason: string | null;
  attempts: number;
  next_attempt_at: string | null;
  created_at: string | null;
  ended_at: string | null;
  log: { at: string | null; duration_ms: number; status: number | null; error: string | null }[];
}

/** Whom the key or session speaks for. */
export interface Whoami {
  name: string;
  role: "submit" | "read" | "admin";
}

export interface Settings {
  /** By the names of the environment; `[hidden]` stands for secrets. */
  data: { name: string; value: string | null; redacted: boolean }[];
}

export interface SubmittedSpec {
  run_id: string;
  job_id: string;
  matrix: Record<string, string> | null;
  /** The fields of the submission that were given, with `[hidden]` for secrets. */
  spec: { kind: string; timeout: number; [field: string]: unknown };
  note: string | null;
}
