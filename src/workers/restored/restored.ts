// After a restore nothing starts until the starts since the backup are found; those of known runs are adopted.
import { fingerprintIn, fingerprintOf } from "../../domain/execution-id.ts";
import type { FoundStart } from "../../domain/found-starts.ts";
import { nextTurn } from "../../lib/next-turn.ts";
import type { LyceumClient } from "../../lyceum/client.ts";
import { parseStatus } from "../../lyceum/status-words.ts";
import { adoptStart } from "../../orchestration/adopt-start.ts";
import type { Context } from "../../orchestration/context.ts";
import {
  clearRestored,
  listFoundStarts,
  openRuns,
  readRestored,
  saveFoundStarts,
  unknownExecutions,
} from "../../store/restored.ts";
import { saveStrays } from "../../store/strays.ts";
import type { Worker } from "../loop.ts";
import { createStartSearch, type MarkedRows } from "./search-starts.ts";
import { createStrays, strayOf } from "./strays.ts";

export interface Restored extends Worker {
  /** False until no start since the backup is unknown. */
  mayStart(): boolean;
}

export interface RestoredOptions {
  lyceum: LyceumClient;
  now: () => number;
  onDone: () => void;
}

export function createRestored(context: Context, { lyceum, now, onDone }: RestoredOptions): Restored {
  const { store, report, rules, foundStarts } = context;
  const strays = createStrays(context, { lyceum, now });
  /** Each pass of the search finds the same executions again. */
  const reported = new Set<string>();
  let isDone = false;
  let search: { since: number; begunAt: number; look: ReturnType<typeof createStartSearch> } | null = null;

  async function begin(): Promise<void> {
    for (const start of await listFoundStarts(store.db)) foundStarts.add(start);
    const since = await readRestored(store.db);
    if (since === null) return end();
    report.restoredSearching({ since });
    search = { since, begunAt: now(), look: createStartSearch(lyceum, since) };
  }

  function end(): void {
    search = null;
    isDone = true;
    onDone();
  }

  /** Returns when to look again (epoch ms); null at the end of the search. */
  async function look(): Promise<number | null> {
    if (search === null) await begin();
    if (search === null) return null;
    const checkedAt = now();
    const progress = await search.look();
    if (progress.type === "under way") return now();
    if (progress.type === "unanswered") {
      const { answer } = progress;
      return now() + (answer.type === "throttled" ? answer.retryAfterMs : rules.pollMinMs);
    }
    await conclude(progress.rows);
    // A start from just before the end of the former process may still be invisible.
    if (checkedAt - search.begunAt < rules.inDoubtAfterMs)
      return Math.min(search.begunAt + rules.inDoubtAfterMs, now() + rules.pollMaxMs);
    const { since } = search;
    await store.write((tx) => clearRestored(tx.db, since));
    end();
    return null;
  }

  async function conclude(rows: MarkedRows): Promise<void> {
    const unknown = await unknownExecutions(store.db, [...rows.keys()]);
    const found = await recognize(new Map([...rows].filter(([id]) => unknown.has(id))));
    await store.write((tx) => saveFoundStarts(tx.db, found));
    for (const start of found) {
      foundStarts.add(start);
      const isAdopted = await adoptStart(context, start, parseStatus(start.rawStatus).status);
      const { executionId, runId } = start;
      if (!reported.has(executionId)) report.startRecognized({ executionId, runId, isAdopted });
      reported.add(executionId);
      unknown.delete(executionId);
    }
    const isNew = (id: string) => unknown.has(id) && !reported.has(id);
    const newStrays = [...rows].flatMap(([id, row]) => (isNew(id) ? strayOf(id, row, now()) : []));
    await store.write((tx) => saveStrays(tx.db, newStrays));
    for (const {
      execution_id: executionId,
      lyceum_execution_id: lyceumExecutionId,
      raw_status,
    } of newStrays) {
      reported.add(executionId);
      report.strayFound({ executionId, lyceumExecutionId, word: raw_status });
    }
  }

  async function recognize(rows: MarkedRows): Promise<FoundStart[]> {
    if (rows.size === 0) return [];
    const byFingerprint = new Map([...rows].map(([id, row]) => [fingerprintIn(id), { id, row }]));
    const found: FoundStart[] = [];
    for (let after = ""; ; ) {
      const runs = await openRuns(store.db, after);
      for (const { id: runId, attempt: current } of runs)
        for (let attempt = Math.max(1, current); attempt <= current + MAX_ATTEMPTS_AHEAD; attempt++) {
          const match = byFingerprint.get(fingerprintOf(runId, attempt));
          if (match === undefined) continue;
          const { id: executionId, row } = match;
          found.push({
            executionId,
            runId,
            attempt,
            lyceumExecutionId: row.executionId,
            rawStatus: row.word,
          });
        }
      const last = runs.at(-1);
      if (last === undefined) return found;
      after = last.id;
      await nextTurn();
    }
  }

  return {
    name: "restored",
    mayStart: () => isDone,
    async runOnce() {
      const nextAt = isDone ? null : await look();
      return nextAt ?? strays.follow();
    },
    idle: async () => {},
  };
}

/** More than a job's retries since the backup. */
const MAX_ATTEMPTS_AHEAD = 10;
