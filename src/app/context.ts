// The parts that all others share: clock, store, log, metrics, the context of the use cases, and the loops.
import type { Dialect } from "kysely";
import packageJson from "../../package.json" with { type: "json" };
import type { Config } from "../config.ts";
import { createCallbackHealth } from "../domain/callback-health.ts";
import { createDurations } from "../domain/duration-estimates.ts";
import { createFoundStarts } from "../domain/found-starts.ts";
import { createBacklog } from "../domain/queue-limit.ts";
import type { OneTimeKey } from "../http/sign-in-links.ts";
import { type Clock, systemClock, systemTimers, type Timers } from "../lib/clock.ts";
import { idSource } from "../lib/id.ts";
import { createSharedClock } from "../lib/shared-clock.ts";
import type { Fetch } from "../lyceum/http-exchange.ts";
import type { Context } from "../orchestration/context.ts";
import { traceparentOf } from "../store/jobs.ts";
import { openStore } from "../store/store.ts";
import type { connectWakeUps } from "../store/wake-ups.ts";
import { createLogger, type Logger } from "../telemetry/logger.ts";
import { createMetrics, type Metrics } from "../telemetry/metrics.ts";
import { createReport } from "../telemetry/report.ts";
import type { OpenTraces } from "../telemetry/traces.ts";
import type { Resolve } from "../workers/deliver/destination.ts";
import { createLoop, type Loop, type Worker } from "../workers/loop.ts";

/** Parts that a test or a simulation replaces. */
export interface AppOverrides {
  clock?: Clock;
  timers?: Timers;
  random?: () => number;
  fetch?: Fetch;
  log?: Logger;
  metrics?: Metrics;
  resolve?: Resolve;
  dialect?: Dialect;
  /** Replaces the name of this instance. */
  instance?: string;
  /** Replaces NOTIFY. */
  connectWakeUps?: typeof connectWakeUps;
  /** False serves requests only through `handle`. */
  listens?: boolean;
  logSpacingMs?: number;
  /** Keys that sign in to the operator's page once each. */
  oneTimeKeys?: readonly OneTimeKey[];
  warnings?: readonly string[];
  maxQueued?: number;
}

export type AppParts = ReturnType<typeof createParts>;

export function createParts(config: Config, overrides: AppOverrides) {
  const { timers = systemTimers, random = Math.random } = overrides;
  const hostClock = overrides.clock ?? systemClock;
  const clock = createSharedClock(hostClock);
  const log = overrides.log ?? createLogger(config.logLevel);
  const metrics = overrides.metrics ?? createMetrics({ process: true });
  metrics.buildInfo.set({ version: packageJson.version, node: process.versions.node }, 1);
  let traces: OpenTraces | null = null;
  const report = createReport(log, metrics, { traces: () => traces, hasStopped: () => store.isClosed() });
  const newId = idSource(clock, overrides.random);
  const { dialect, instance } = overrides;
  const store = openStore(config.database, clock, newId, { dialect, instance, timers });
  const context: Context = {
    store,
    newId,
    random,
    rules: {
      pollMinMs: config.poll.minMs,
      pollMaxMs: config.poll.maxMs,
      callbackGraceMs: config.callbackGraceMs,
      inDoubtAfterMs: config.inDoubtAfterMs,
      submitPatienceMs: START_LEASE_MS,
    },
    health: createCallbackHealth({ asked: config.publicUrl !== null, graceMs: config.callbackGraceMs }),
    durations: createDurations(),
    backlog: createBacklog(overrides.maxQueued),
    foundStarts: createFoundStarts(),
    underCheck: new Map(),
    quotas: new Map(config.keyQuotas.map((quota) => [quota.name, quota])),
    report,
    sharedLimits: store.kind === "sqlite" ? null : config.submit,
  };

  const onError = (worker: string, error: unknown) => report.fault(worker, error);
  const loops = new Map<string, Loop>();
  const wake = (name: string, dueAt: number) => loops.get(name)?.wake(dueAt);
  store.onCommit(wake);
  store.onOutage(report.outage);
  store.onWritten(report.committed);
  // NOTIFY tells what another instance has written, and polling finds it where that is lost.
  const maxSleepMs = store.kind === "sqlite" ? undefined : SHARED_SLEEP_MS * (0.75 + random() / 2);

  return {
    config,
    overrides,
    context,
    clock,
    hostClock,
    timers,
    now: () => clock.now(),
    log,
    metrics,
    version: packageJson.version,
    async openTraces(): Promise<void> {
      const { endpoint } = config.traces;
      if (endpoint === null) return;
      const { openTraces } = await import("../telemetry/traces.ts");
      traces = await openTraces({
        endpoint,
        version: packageJson.version,
        now: () => clock.now(),
        traceparentOf: (jobId) => traceparentOf(store.db, jobId),
        onError: (error) => report.fault("traces", error),
        onExport: report.tracesExport,
      });
    },
    /** If the collector answers in time. */
    closeTraces: async () => traces?.close(),
    state: { isAccepting: false },
    onError,
    wake,
    addLoop(worker: Worker): Loop {
      const loop = createLoop(worker, { clock, timers, onError, maxSleepMs });
      loops.set(worker.name, loop);
      return loop;
    },
  };
}

/** Renewed while the start is under way, so that a dead process's start comes due after this. */
const START_LEASE_MS = 30_000;
/** On average; other instances may have written. */
const SHARED_SLEEP_MS = 2_000;
