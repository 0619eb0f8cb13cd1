// The runs of one job, a row each, kept up to date: an event changes a row's status at once, and what it cannot tell is
// read again a moment later.
import { useEffect, useState } from "preact/hooks";
import type { Run } from "../../client/client.ts";
import { api, isSignedOut } from "../api.ts";
import { onEvent, resync } from "../live.ts";
import { endSession } from "../session.ts";

export interface Rows<R> {
  /** By their position. */
  rows: R[];
  isWhole: boolean;
  error: unknown;
}

export interface RowSource<R> {
  all(jobId: string, options: { signal: AbortSignal; limit: number }): AsyncIterable<R>;
  idOf(row: R): string;
  rowOf(run: Run): R;
}

const PAGE = 1_000;
const SHOW_EVERY_MS = 300;
const READ_EVERY_MS = 2_000;
/** A job that takes long to read is read again more seldom: the page stays idle most of the time. */
const PAUSE_PER_READ = 10;
const ONE_BY_ONE = 25;

/** @param source the same object at each call */
export function useRows<R extends Pick<Run, "position" | "status">>(
  jobId: string,
  { all, idOf, rowOf }: RowSource<R>,
): Rows<R> {
  const [shown, setShown] = useState<Rows<R>>({ rows: [], isWhole: false, error: null });

  useEffect(() => {
    const leaving = new AbortController();
    const { signal } = leaving;
    const rows = new Map<string, R>();
    const changed = new Set<string>();
    let isWhole = false;
    let showing = 0;
    let reading = 0;
    let pauseMs = READ_EVERY_MS;

    const show = (error: unknown = null) => {
      clearTimeout(showing);
      showing = 0;
      if (!signal.aborted)
        setShown({ rows: [...rows.values()].sort((a, b) => a.position - b.position), isWhole, error });
    };
    const showSoon = () => {
      showing ||= setTimeout(show, SHOW_EVERY_MS);
    };

    async function readAll(): Promise<void> {
      const startedAt = performance.now();
      try {
        for await (const row of all(jobId, { signal, limit: PAGE })) {
          rows.set(idOf(row), row);
          if (rows.size % PAGE === 0) showSoon();
        }
        isWhole = true;
        show();
      } catch (error) {
        if (isSignedOut(error)) endSession();
        else if (!signal.aborted) show(error);
      }
      pauseMs = Math.max(READ_EVERY_MS, PAUSE_PER_READ * (performance.now() - startedAt));
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
      reading ||= setTimeout(() => void readChanged(), changed.size > ONE_BY_ONE ? pauseMs : READ_EVERY_MS);
    };

    void readAll();
    const stopListening = onEvent(({ job_id, run_id, type }) => {
      if (job_id !== jobId || run_id === undefined) return;
      const status = /^run\.(\w+)$/.exec(type)?.[1];
      const row = rows.get(run_id);
      if (row !== undefined && status !== undefined) {
        rows.set(run_id, { ...row, status: status as R["status"] });
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
      leaving.abort();
      clearTimeout(showing);
      clearTimeout(reading);
      stopListening();
      stopResync();
    };
  }, [jobId]);

  return shown;
}
