// A run as a row of the table of results.
import type { ResultRow } from "../../contract/results.ts";
import type { RunView } from "../../contract/run.ts";

/** Of several attempts the last one counts, but for the cost, to which all of them add. */
export function viewResult(run: RunView): ResultRow {
  return {
    run_id: run.id,
    position: run.position,
    name: run.name,
    matrix: run.matrix,
    status: run.status,
    attempts: run.attempts,
    return_code: run.return_code,
    duration_ms: run.duration_ms,
    cost: run.cost,
    cost_source: run.cost_source,
    hardware: run.hardware,
    gpu_utilization_percent: run.gpu?.utilization_percent?.mean ?? null,
    gpu_idle_share: run.gpu?.idle_share ?? null,
    energy_wh: run.gpu?.energy_wh ?? null,
    error_code: run.error?.code ?? null,
    retry_of: run.retry_of,
    outcome: run.outcome,
  };
}
