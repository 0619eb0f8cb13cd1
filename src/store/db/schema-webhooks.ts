// Row types of webhooks and their deliveries.
import type { GivingUp } from "../../domain/delivery.ts";

export interface WebhooksTable {
  id: string;
  api_key: string;
  /** 1 receives events of every job (administrators only); 0 receives events of its key's jobs. */
  all_jobs: number;
  url: string;
  types: string;
  secrets: string;
  created_at: number;
  failing_since: number | null;
  disabled_at: number | null;
  disabled_reason: Exclude<GivingUp, "webhook_disabled"> | null;
}

export interface DeliveriesTable {
  id: string;
  webhook_id: string | null;
  /** The destination queue: the webhook's id, or the origin of the job's URL. Each has a few slots. */
  destination: string;
  url: string;
  job_id: string;
  event_id: string;
  type: string;
  payload: string;
  state: "pending" | "delivered" | "failed";
  reason: GivingUp | null;
  due_at: number | null;
  /** Counted since the delivery was created or last redelivered. */
  attempts: number;
  first_tried_at: number | null;
  log: string;
  created_at: number;
  ended_at: number | null;
  claimed_by: string | null;
}
