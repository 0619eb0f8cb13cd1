// Limits that several processes keep together: a call takes its place in them right before it is sent.
import type { Bucket } from "./priorities.ts";
import type { LimitNotice } from "./rate-limit-headers.ts";

export interface Place {
  /** @param notice the limits in the call's answer; null: it had no answer */
  end(isSent: boolean, notice: LimitNotice | null): Promise<void>;
}

export interface SharedPlaces {
  /** Null: the bucket has no places. `waitMs` says how long none is free. */
  take(bucket: Bucket, keptPercent: number): Promise<Place | { waitMs: number }> | null;
}
