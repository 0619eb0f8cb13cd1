// The runs of one job: an event changes a row's status at once, and the rest is read again a moment later.
import { useEffect, useState } from "preact/hooks";
import type { ResultRow, Run } from "../../client/client.ts";
import { api, isSignedOut } from "../api.ts";
import { onEvent, resync } from "../live.ts";
import { endSession } from "../session.ts";

export interface Results {
  rows: ResultRow[];
  isWhole: boolean;
  error: unknown;
}

const PAGE = 1_000;
const SHOW_EVERY_MS = 300;
const READ_EVERY_MS = 2_000;
const ONE_BY_ONE = 25;

export function useResults(jobId: string): Results {
  const [results, setResults] = useState<Results>({ rows: [], isWhole: false, error: null });

  useEffect(() => {
    const { signal, abort } = controller();
    const rows = new Map<string, ResultRow>();
    const changed = new Set<string>();
    let isWhole = false;
    let showing = 0;
    let reading = 0;

    const show = (error: unknown = null) => {
      clearTimeout(showing);
      showing = 0;
      if (!signal.aborted)
        setResults({ rows: [...rows.values()].sort((a, b) => a.position - b.position), isWhole, error });
    };
    const showSoon = () => {
      showing ||= setTimeout(show, SHOW_EVERY_MS);
    };

    async function readAll(): Promise<void> {
      try {
        for await (const row of api.results(jobId, { signal, limit: PAGE })) {
          rows.set(row.run_id, row);
          if (rows.size % PAGE === 0) showSoon();
        }
        isWhole = true;
        show();
      } catch (error) {
        if (isSignedOut(error)) endSession();
        else if (!signal.aborted) show(error);
      }
    }

    async function readChanged(): Promise<void> {
      const ids = [...changed];
      changed.clear();
      if (ids.length > ONE_BY_ONE) await readAll();
      else
        for (const id of ids) {
          const run = await api.run(id, { signal }).catch(() => null);
          if (run !== null) rows.set(id, rowOf(run));
        }
      show();
      reading = 0;
      if (changed.size > 0) readSoon();
    }
    const readSoon = () => {
      reading ||= setTimeout(() => void readChanged(), READ_EVERY_MS);
    };

    void readAll();
    const stopListening = onEvent(({ job_id, run_id, type }) => {
      if (job_id !== jobId || run_id === undefined) return;
      const status = /^run\.(\w+)$/.exec(type)?.[1];
      const row = rows.get(run_id);
      if (row !== undefined && status !== undefined) {
        rows.set(run_id, { ...row, status: status as ResultRow["status"] });
        showSoon();
      }
      changed.add(run_id);
      readSoon();
    });
    let seen = resync.peek();
    const stopResync = resync.subscribe((now) => {
      if (now !== seen) void readAll();
      seen = now;
    });
    return () => {
      abort();
      clearTimeout(showing);
      clearTimeout(reading);
      stopListening();
      stopResync();
    };
  }, [jobId]);

  return results;
}

function controller(): { signal: AbortSignal; abort: () => void } {
  const leaving = new AbortController();
  return { signal: leaving.signal, abort: () => leaving.abort() };
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

/** Its own name, its matrix values, or its position. */
export function nameOf({ name, matrix, position }: Pick<ResultRow, "name" | "matrix" | "position">): string {
  const values =
    matrix === null
      ? ""
      : Object.entries(matrix)
          .map(([key, value]) => `${key}=${value}`)
          .join(" ");
  return [name, values].filter(Boolean).join(" ") || `run ${position}`;
}
