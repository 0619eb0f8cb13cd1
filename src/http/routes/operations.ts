// Liveness, readiness, metrics and status of the service.
import * as operations from "../../contract/operations/service.ts";
import type { SettingsView, WhoamiView } from "../../contract/settings.ts";
import type { InstanceView, LimitView, StatusView } from "../../contract/status.ts";
import { readCounters } from "../../store/counters.ts";
import { readBacklog } from "../../store/inbox.ts";
import type { Instance } from "../../store/instances.ts";
import { readLevels } from "../../store/queue-stats.ts";
import { assertWritable, databaseBytes, walBytes } from "../../store/store.ts";
import { problem } from "../problem.ts";
import { callerOf } from "../read-request.ts";
import type { LyceumState } from "../request-context.ts";
import { type Input, type Route, route } from "../route.ts";
import { checksOf } from "../views/checks.ts";
import { iso } from "../views/view.ts";
import { viewKnowledge } from "./stats.ts";

export const operationRoutes: Route[] = [
  route({
    method: "GET",
    path: "/livez",
    access: "open",
    operation: operations.getLive,
    handle: ({ c }) => c.json({ status: "ok" }),
  }),
  route({ method: "GET", path: "/readyz", access: "open", operation: operations.getReady, handle: getReady }),
  route({
    method: "GET",
    path: "/metrics",
    access: "open",
    operation: operations.getMetricsText,
    handle: getMetrics,
  }),
  route({
    method: "GET",
    path: "/v1/status",
    access: "read",
    operation: operations.getStatus,
    handle: getStatus,
  }),
  route({
    method: "GET",
    path: "/v1/whoami",
    access: "read",
    operation: operations.getWhoami,
    handle: getWhoami,
  }),
  route({
    method: "GET",
    path: "/v1/settings",
    access: "admin",
    operation: operations.getSettings,
    handle: getSettings,
  }),
];

async function getReady({ c, context }: Input<typeof operations.getReady>) {
  if (!context.isAccepting()) return problem(c, "not-accepting", "draining: the process is shutting down");
  const aheadMs = context.clockAheadMs();
  if (Math.abs(aheadMs) > MAX_CLOCK_OFFSET_MS)
    return problem(
      c,
      "not-accepting",
      `the clock is ${Math.round(aheadMs / 1000)} s ahead of the database's`,
    );
  try {
    if (!(await context.store.isMigrated())) return problem(c, "not-accepting", "migrations are pending");
    await assertWritable(context.store);
  } catch (error) {
    context.report.fault("readyz", error);
    return problem(c, "not-accepting", "the database is unreachable or read-only");
  }
  return c.json({ status: "ready", version: context.version });
}

/** Beyond this the machine is not trusted with Lyceum's times, such as that of a reset. */
const MAX_CLOCK_OFFSET_MS = 60_000;

async function getMetrics({ c, context }: Input<typeof operations.getMetricsText>) {
  if (context.metricsText === null) return problem(c, "not-found", "metrics are served on METRICS_PORT");
  return c.body(await context.metricsText(), 200, {
    "Content-Type": "text/plain; version=0.0.4; charset=utf-8",
  });
}

async function getWhoami({ c }: Input<typeof operations.getWhoami>) {
  const { name, role } = callerOf(c);
  return c.json({ name, role } satisfies WhoamiView);
}

async function getSettings({ c, context }: Input<typeof operations.getSettings>) {
  return c.json({ data: [...context.settings], next_cursor: null } satisfies SettingsView);
}

async function getStatus({ c, context }: Input<typeof operations.getStatus>) {
  const { db, kind } = context.store;
  const [levels, backlog, counted, bytes, walLength, instances, knowledge, disk] = await Promise.all([
    readLevels(db),
    readBacklog(db),
    readCounters(db, "callbacks."),
    databaseBytes(context.store),
    walBytes(context.store),
    context.instances(),
    context.timeToKnowledge(),
    context.checkDisk(),
  ]);
  const unsaved = context.report.unsaved();
  const rejectedFor = (reason: string) =>
    (counted[`rejected.${reason}`] ?? 0) + (unsaved.get(`callbacks.rejected.${reason}`) ?? 0);
  const rejected = {
    missing_token: rejectedFor("missing_token"),
    wrong_token: rejectedFor("wrong_token"),
    unknown_path: rejectedFor("unknown_path"),
  };
  const callbackHealth = context.health.snapshot(context.now());
  const view: Omit<StatusView, "checks"> = {
    version: context.version,
    accepting: context.isAccepting(),
    queue: {
      depth: levels.queued,
      live: levels.live,
      collecting: levels.collecting,
      in_doubt: levels.inDoubt,
      oldest_waiting_at: iso(levels.oldestQueuedAt),
      without_wakeup: levels.withoutWakeup,
    },
    callbacks: {
      mode: context.takesCallbacks ? "callbacks" : "polling_only",
      health: callbackHealth.mode,
      judged: callbackHealth.judged,
      recently_missed: callbackHealth.missed,
      detection_delay_ms: callbackHealth.delayMs,
      received: counted.received ?? 0,
      early: counted.early ?? 0,
      duplicate: counted.duplicate ?? 0,
      late: counted.late ?? 0,
      missed: counted.missed ?? 0,
      rejected: rejected.missing_token + rejected.wrong_token + rejected.unknown_path,
      rejected_by: rejected,
      in_inbox: backlog.callbacks,
      oldest_in_inbox_at: iso(backlog.oldestAt),
    },
    time_to_knowledge: viewKnowledge(knowledge),
    lyceum: viewLyceum(await context.lyceumState()),
    database: { kind, bytes, wal_bytes: walLength },
    instances: instances.map(viewInstance),
  };
  return c.json({ ...view, checks: checksOf(view, disk, context.now()) } satisfies StatusView);
}

function viewInstance({ id, version, startedAt, beatAt, clockOffsetMs }: Instance): InstanceView {
  const times = { started_at: iso(startedAt), last_seen_at: iso(beatAt) };
  return { id, version, ...times, clock_offset_ms: clockOffsetMs };
}

function viewLyceum({ breaker, startPause, buckets }: LyceumState): StatusView["lyceum"] {
  const { execution, read, billing, auth } = buckets;
  return {
    circuit: { state: breaker.state, failures: breaker.failures, retry_at: iso(breaker.retryAt) },
    starts: viewStarts(startPause),
    limits: {
      execution: viewLimit(execution),
      read: viewLimit(read),
      billing: viewLimit(billing),
      auth: viewLimit(auth),
    },
  };
}

function viewStarts(pause: LyceumState["startPause"]): StatusView["lyceum"]["starts"] {
  const { reason, detail, since, probeAt } = pause ?? NOT_PAUSED;
  const state = pause === null ? "flowing" : "paused";
  return { state, reason, detail, since: iso(since), next_probe_at: iso(probeAt) };
}

const NOT_PAUSED = { reason: null, detail: null, since: null, probeAt: null };

function viewLimit(bucket: LyceumState["buckets"]["read"]): LimitView {
  const { limit, used, remaining, resetsAt, pausedUntil, waiting, running } = bucket;
  const window = limit === null ? null : { max: limit.max, window_ms: limit.windowMs };
  const times = { resets_at: iso(resetsAt), paused_until: iso(pausedUntil) };
  return { limit: window, used, remaining, ...times, waiting, running };
}
