// What every use case is given.

import type { CallbackHealth } from "../domain/callbackhealth.ts";
import type { Durations } from "../domain/durations.ts";
import type { NewId } from "../domain/id.ts";
import type { Rules } from "../domain/machine/schedule.ts";
import type { Store } from "../store/database.ts";
import type { Report } from "../telemetry/report.ts";

export interface Context {
  store: Store;
  newId: NewId;
  /** In [0, 1). */
  random: () => number;
  rules: Omit<Rules, "callbacks">;
  /** What the process has learned of callbacks and durations: hints for the schedule, never truths. */
  health: CallbackHealth;
  durations: Durations;
  report: Report;
}
