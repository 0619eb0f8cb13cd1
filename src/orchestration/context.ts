// What every use case is given.
import type { NewId } from "../domain/id.ts";
import type { Rules } from "../domain/schedule.ts";
import type { Store } from "../store/database.ts";
import type { Report } from "../telemetry/report.ts";

export interface Context {
  store: Store;
  newId: NewId;
  /** In [0, 1). */
  random: () => number;
  /** The bounds in force now; whether callbacks are healthy changes with experience. */
  rules: () => Rules;
  report: Report;
}
