// The results of one job, a row per run.
import type { ResultRow, Run } from "../../client/client.ts";
import { api } from "../api.ts";
import { type RowSource, type Rows, useRows } from "./rows.ts";

export type Results = Rows<ResultRow>;

const results: RowSource<ResultRow> = {
  all: api.results,
  idOf: ({ run_id }) => run_id,
  rowOf,
};

export function useResults(jobId: string): Results {
  return useRows(jobId, results);
}

function rowOf(run: Run): ResultRow {
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
    error_reason: run.error?.reason ?? null,
    retry_of: run.retry_of,
    outcome: run.outcome,
  };
}

/** The name of a run for the reader: its own, its matrix values, or its position. */
export function nameOf({ name, matrix, position }: Pick<ResultRow, "name" | "matrix" | "position">): string {
  const values =
    matrix === null
      ? ""
      : Object.entries(matrix)
          .map(([key, value]) => `${key}=${value}`)
          .join(" ");
  return [name, values].filter(Boolean).join(" ") || `run ${position}`;
}
