// The client of Lyceum and the background workers, each with its loop.
import type { Config } from "../config.ts";
import { createLyceumClient } from "../lyceum/client.ts";
import { createRateLimiter } from "../lyceum/rate-limiter.ts";
import { createBackups } from "../workers/backups.ts";
import { createCallPlaces } from "../workers/call-places.ts";
import { createCollect } from "../workers/collect/collect.ts";
import { createJobDeletion } from "../workers/delete-jobs.ts";
import { createRemoteDeletion } from "../workers/delete-remote.ts";
import { createDeliver } from "../workers/deliver/deliver.ts";
import { destinationFinder } from "../workers/deliver/destination.ts";
import { createDispatch } from "../workers/dispatch.ts";
import { createEnforcer } from "../workers/enforce-limits.ts";
import type { Worker } from "../workers/loop.ts";
import { createMachineTypeSync } from "../workers/machine-types.ts";
import { createPauses } from "../workers/pauses.ts";
import { createPresence } from "../workers/presence.ts";
import { createQueueStats } from "../workers/queue-stats.ts";
import { createReconciler } from "../workers/reconcile/reconcile.ts";
import { createRestored } from "../workers/restored/restored.ts";
import { createRetention } from "../workers/retention.ts";
import { createRole, onlyInRole } from "../workers/role.ts";
import { createStartGate } from "../workers/start-gate.ts";
import { createStateMetricsReader } from "../workers/state-metrics.ts";
import type { AppParts } from "./context.ts";
import { createExporter } from "./export-files.ts";
import { startsCountedMs } from "./start-window.ts";

export type AppWorkers = ReturnType<typeof createWorkers>;

export function createWorkers(parts: AppParts) {
  const { config, overrides, context, clock, hostClock, timers, now, wake } = parts;
  const { random, report } = context;
  const presence = createPresence(context, { version: parts.version, hostClock, clock });
  const isShared = context.sharedLimits !== null;
  const rateLimiter = createRateLimiter({
    clock,
    random,
    limits: isShared ? { execution: null, billing: null, auth: null } : { execution: config.submit.limit },
    concurrency: { execution: config.submit.concurrency },
    places: createCallPlaces(context),
    instances: presence.count,
  });
  const gate = createStartGate(clock, random);
  const lyceum = createLyceumClient({
    baseUrl: config.lyceum.baseUrl,
    orgSlug: config.lyceum.orgSlug,
    credentials: credentialsOf(config),
    instances: presence.count,
    rateLimiter,
    clock,
    timers,
    ...(overrides.fetch === undefined ? {} : { fetch: overrides.fetch }),
    log: ({ method, route, status, durationMs }) =>
      report.lyceumCall({ endpoint: `${method} ${route}`, outcome: String(status ?? "none"), durationMs }),
  });
  const { allowPrivate, secret } = config.webhook;
  const findDestination = destinationFinder({ allowPrivate, timers, resolve: overrides.resolve });
  const { logSpacingMs } = overrides;
  const collect = createCollect(context, {
    lyceum,
    now,
    ...(logSpacingMs === undefined ? {} : { logSpacingMs }),
    takesOver: () => parts.state.isAccepting,
    timers,
    mayFetchEarly: () => rateLimiter.deferredMs("collect", "read") === 0,
    onCapacity: () => wake("collect", now()),
  });
  const roleOf = (name: string) => createRole(context.store, clock, name);
  const alone = (worker: Worker) => onlyInRole(roleOf(worker.name), worker, clock);
  const restored = createRestored(context, { lyceum, now, onDone: () => wake("dispatch", now()) });
  const workers: Worker[] = [
    restored,
    createDispatch(context, {
      lyceum,
      rateLimiter,
      gate,
      callbacks: callbacksOf(config),
      isHeldAlive: presence.isHeldAlive,
      mayStart: restored.mayStart,
      concurrency: config.submit.concurrency,
      clock,
      onCapacity: () => wake("dispatch", now()),
    }),
    createReconciler(context, {
      lyceum,
      now,
      monotonic: clock.monotonic,
      collect,
      reader: roleOf("list-poll"),
      onCapacity: () => wake("reconcile", now()),
      awayMs: rateLimiter.awayMs,
      isCrowded: rateLimiter.isCrowded,
      deferredMs: () => rateLimiter.deferredMs("confirm", "read"),
    }),
    collect,
    alone(createEnforcer(context)),
    alone(createRemoteDeletion(context, { lyceum, now })),
    alone(createJobDeletion(context, { now, startsCountedMs: startsCountedMs(parts) })),
    alone(createMachineTypeSync(context, { lyceum, now })),
    createDeliver(context, {
      findDestination,
      secret,
      clock,
      timers,
      onCapacity: () => wake("deliver", now()),
    }),
    alone(
      createRetention(context, {
        retentionMs: config.retentionMs,
        now,
        exportJobs:
          config.exportDir === null ? null : createExporter(context.store.db, config.exportDir, now),
      }),
    ),
    createQueueStats(context, now, roleOf("queue-stats")),
    createStateMetricsReader(context, {
      metrics: parts.metrics.state,
      countInstances: async () => (await presence.list()).length,
      now,
    }),
  ];
  const backups =
    config.backup !== null && config.database.kind === "sqlite"
      ? createBackups(context, { ...config.backup, source: config.database.path, now })
      : null;
  if (backups !== null) workers.push(backups);
  if (isShared) {
    const onOpened = () => wake("dispatch", now());
    workers.push(createPauses(context, { rateLimiter, gate, now, onOpened }));
  }
  return {
    workers,
    loops: workers.map(parts.addLoop),
    backups,
    presence,
    presenceLoop: parts.addLoop(presence),
    lyceum,
    rateLimiter,
    gate,
    findDestination,
  };
}

/** Null: Lyceum is not asked for callbacks. */
export function callbacksOf({ publicUrl, callbackSecrets: [secret] }: Config) {
  return publicUrl === null || secret === undefined ? null : { publicUrl, secret };
}

function credentialsOf({ lyceum: { credentials } }: Config) {
  if (credentials.kind === "key") return { apiKey: credentials.key };
  return { email: credentials.email, password: credentials.password };
}
