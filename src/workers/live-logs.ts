// Logs of live executions: read from Lyceum once for all readers of an execution.
import PQueue from "p-queue";
import { lookBackHours } from "../domain/collection.ts";
import type { Execution } from "../domain/execution.ts";
import { createLiveLog, type LiveLog, type LiveReader, type LiveState } from "../domain/live-log.ts";
import type { LogEntry } from "../domain/logs.ts";
import type { Clock } from "../lib/clock.ts";
import { nextTurn } from "../lib/next-turn.ts";
import type { LyceumClient } from "../lyceum/client.ts";

interface Shared {
  log: LiveLog;
  state: LiveState | null;
  readAt: number;
  pending: Promise<LiveState> | null;
  readers: number;
}

/** @param most executions whose logs are held at once */
export function createLiveLogs(lyceum: Pick<LyceumClient, "logs">, clock: Clock, most = MAX_LOGS) {
  const logs = new Map<string, Shared>();
  const reads = new PQueue({ concurrency: 2 });

  /** Null while too many logs have readers. */
  function open(execution: Execution): LiveReader | null {
    const shared = logs.get(execution.id) ?? make();
    if (shared === null) return null;
    // The order of the map is that of the last use.
    logs.delete(execution.id);
    logs.set(execution.id, shared);
    shared.readers += 1;
    let isOpen = true;
    return {
      log: shared.log,
      refresh: () => refresh(shared, execution),
      add: (read) => addTo(shared.log, read),
      close() {
        if (isOpen) shared.readers -= 1;
        isOpen = false;
      },
    };
  }

  function make(): Shared | null {
    if (logs.size >= most) {
      const unread = [...logs].find(([, { readers, pending }]) => readers === 0 && pending === null);
      if (unread === undefined) return null;
      logs.delete(unread[0]);
    }
    const readAt = Number.NEGATIVE_INFINITY;
    return { log: createLiveLog(), state: null, readAt, pending: null, readers: 0 };
  }

  async function refresh(shared: Shared, execution: Execution): Promise<LiveState> {
    if (shared.pending !== null) return shared.pending;
    if (shared.state !== null && clock.monotonic() - shared.readAt < BETWEEN_READS_MS) return shared.state;
    shared.readAt = clock.monotonic();
    shared.pending = reads.add(() => read(shared, execution));
    try {
      shared.state = await shared.pending;
      return shared.state;
    } finally {
      shared.pending = null;
    }
  }

  async function read({ log }: Shared, execution: Execution): Promise<LiveState> {
    const { lyceumExecutionId, startedAt, submittedAt } = execution;
    const readAt = clock.now();
    const hours = lookBackHours(startedAt ?? submittedAt, readAt);
    if (lyceumExecutionId === null || hours === null)
      return away("Lyceum keeps logs for 168 hours", MAX_RETRY_MS);
    const query = { limit: MAX_ENTRIES, hours, size: "large", priority: "live" } as const;
    const answer = await lyceum.logs(lyceumExecutionId, query);
    switch (answer.type) {
      case "ok": {
        const { entries, total } = answer.value;
        await addTo(log, entries);
        if (log.length() === 0) return { type: "empty", readAt };
        const truncated = entries.length >= MAX_ENTRIES || (total ?? 0) > log.length();
        return { type: "shown", truncated, readAt };
      }
      case "missing":
        return log.length() === 0 ? { type: "empty", readAt } : { type: "shown", truncated: false, readAt };
      case "throttled":
        return away("the rate limit towards Lyceum is used up", answer.retryAfterMs);
      default:
        return away(answer.detail, BETWEEN_READS_MS);
    }
  }

  return { open };
}

async function addTo(log: LiveLog, read: readonly LogEntry[]): Promise<void> {
  const slices = log.add(read);
  while (slices.next().done !== true) await nextTurn();
}

function away(detail: string, retryAfterMs: number): LiveState {
  return {
    type: "away",
    detail,
    retryAfterMs: Math.min(Math.max(retryAfterMs, BETWEEN_READS_MS), MAX_RETRY_MS),
  };
}

const BETWEEN_READS_MS = 5_000;
const MAX_RETRY_MS = 60_000;
/** Lyceum's own maximum [api-reference/observability--logs/get-execution-logs]. */
const MAX_ENTRIES = 10_000;
const MAX_LOGS = 64;
