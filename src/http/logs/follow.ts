// Follows a run's log to its end: Lyceum's while an execution lives, then the stored log; then the next attempt.
import type { Execution } from "../../domain/execution.ts";
import type { LiveReader, LiveState } from "../../domain/live-log.ts";
import type { LogEntry } from "../../domain/logs.ts";
import { isTerminal } from "../../domain/run.ts";
import { DatabaseUnavailable } from "../../lib/database-error.ts";
import { type ArtifactState, listArtifacts, readDocument } from "../../store/artifacts.ts";
import { listExecutions } from "../../store/executions.ts";
import { findRun } from "../../store/runs.ts";
import type { Subscription } from "../events/feed.ts";
import { HEARTBEAT_MS } from "../events/sse.ts";
import type { AppContext } from "../request-context.ts";
import type { LogFormat, Place } from "./format.ts";

export interface Following {
  runId: string;
  /** Undefined: to the end of the run. */
  attempt: number | undefined;
  place: Place;
  format: LogFormat;
}

export async function* followLog(
  context: AppContext,
  subscription: Subscription,
  { runId, attempt, place, format }: Following,
): AsyncGenerator<string, void> {
  const follower = createFollower(context, runId, place, () => subscription.notify());
  let saidAt = context.now();
  const tick = () => {
    subscription.notify();
    cancelTick = context.timers.after(TICK_MS, tick);
  };
  let cancelTick = context.timers.after(TICK_MS, tick);
  let note: string | null = null;
  try {
    if (format.head !== "") yield format.head;
    while (!subscription.isOver) {
      const { state, hasMore } = await follower.look();
      for (let page = follower.next(); page !== null; page = follower.next()) {
        if (page.dropped > 0)
          yield format.note(`${page.dropped} lines are not shown: more came than are kept here`);
        yield format.lines(page.entries, page.place);
        saidAt = context.now();
      }
      const word = follower.note();
      if (word !== null && word !== note) yield format.note(word);
      note = word;
      if (state === "over" || (state === "attempt_over" && attempt !== undefined)) {
        yield format.end;
        return;
      }
      if (Math.abs(context.now() - saidAt) >= HEARTBEAT_MS) {
        yield format.heartbeat;
        saidAt = context.now();
      }
      if (!hasMore) await subscription.next();
    }
    yield format.note("the service is shutting down; reconnect");
  } catch (error) {
    context.report.fault("logs", error);
    if (error instanceof DatabaseUnavailable) yield format.note("the database is unavailable; reconnect");
  } finally {
    cancelTick();
    follower.close();
    subscription.end();
  }
}

/** Lyceum is read no more often than this for a run. */
const TICK_MS = 5_000;
const ENTRIES_PER_PAGE = 500;

interface Look {
  /** `over`: nothing more will come. `attempt_over`: the run goes on. */
  state: "waiting" | "live" | "attempt_over" | "over";
  hasMore: boolean;
}

function createFollower({ store, openLiveLog }: AppContext, runId: string, begin: Place, onRead: () => void) {
  let place = begin;
  let reader: LiveReader | null = null;
  let followed: Execution | null = null;
  let lastRead: LiveState | null = null;
  let fetchedAt: number | null = null;
  let word: string | null = null;
  /** The execution whose log is whole. */
  let doneId: string | null = null;

  async function look(): Promise<Look> {
    const run = await findRun(store.db, runId);
    if (run === null) return { state: "over", hasMore: false };
    const executions = await listExecutions(store.db, [runId]);
    const unread = executions.filter(({ attempt }) => attempt >= place.attempt);
    const execution = unread.find(({ id }) => id !== doneId) ?? unread[0];
    if (execution === undefined) {
      word = isTerminal(run.status) ? word : `the run is ${run.status}: it has no execution yet`;
      return { state: isTerminal(run.status) ? "over" : "waiting", hasMore: false };
    }
    if (!follow(execution)) return { state: "waiting", hasMore: false };
    const isWhole = execution.phase === "closed" || execution.phase === "orphan";
    const [logs] = (await listArtifacts(store.db, [execution.id])).filter(({ kind }) => kind === "logs");
    await takeStored(execution, logs);
    if (isWhole) {
      word =
        logs?.state === "unavailable" ? `the log is unavailable: ${logs.reason ?? "it was given up"}` : null;
      doneId = execution.id;
      const isLast = execution.id === executions.at(-1)?.id;
      return { state: isLast && isTerminal(run.status) ? "over" : "attempt_over", hasMore: !isLast };
    }
    if (execution.phase === "watching") refresh();
    word = fetchedAt === null ? wordFor(execution, lastRead) : null;
    return { state: "live", hasMore: false };
  }

  function follow(execution: Execution): boolean {
    if (followed?.id === execution.id) return true;
    const opened = openLiveLog(execution);
    if (opened === null) {
      word = "too many logs are followed at once; this one is tried again";
      return false;
    }
    reader?.close();
    reader = opened;
    followed = execution;
    lastRead = null;
    fetchedAt = null;
    if (place.attempt !== execution.attempt) place = { attempt: execution.attempt, position: 0 };
    return true;
  }

  async function takeStored({ id }: Execution, logs: ArtifactState | undefined): Promise<void> {
    if (logs?.fetched_at == null || logs.fetched_at === fetchedAt) return;
    const document = (await readDocument(store.db, id, "logs")) as LogEntry[] | null;
    await reader?.add(document ?? []);
    fetchedAt = logs.fetched_at;
  }

  /** Not awaited: Lyceum may take a minute, and the reader wants its heartbeats. */
  function refresh(): void {
    const before = reader;
    before?.refresh().then(
      (state) => {
        const isNew = state !== lastRead;
        if (before !== reader) return;
        lastRead = state;
        if (isNew) onRead();
      },
      (error) => {
        lastRead = { type: "away", detail: String(error), retryAfterMs: TICK_MS };
      },
    );
  }

  return {
    look,
    next() {
      const page = reader?.log.after(place.position, ENTRIES_PER_PAGE);
      if (page === undefined || page.entries.length === 0) return null;
      const from = { attempt: place.attempt, position: page.position - page.entries.length };
      place = { ...place, position: page.position };
      return { entries: page.entries, place: from, dropped: page.dropped };
    },
    /** A remark on the log beside its lines. */
    note: () => word,
    close: () => reader?.close(),
  };
}

/** Null: there is a log to show. */
export function wordFor({ status }: Execution, state: LiveState | null): string | null {
  if (state?.type === "empty")
    return `Lyceum shows no log of this execution yet (${status}); the whole log is fetched after its end`;
  if (state?.type === "away") return `Lyceum cannot be read now: ${state.detail}`;
  return null;
}
