// The composition root: the only file that sees everything. It builds the parts from the settings, wires
// "after the commit, wake", and starts and stops them in order.
import type { Dialect } from "kysely";
import packageJson from "../package.json" with { type: "json" };
import type { Config } from "./config.ts";
import { createCallbackHealth } from "./domain/callback-health.ts";
import { createDurations } from "./domain/duration-estimates.ts";
import { createBacklog } from "./domain/queue-limit.ts";
import { createServer } from "./http/app.ts";
import { authenticator, keyring } from "./http/auth.ts";
import { publicPathOf } from "./http/callback-path.ts";
import { createEventFeed } from "./http/events/feed.ts";
import { createListeners } from "./http/listen.ts";
import type { AppContext } from "./http/request-context.ts";
import { createSignInLimit } from "./http/sign-in-limit.ts";
import { createSignInLinks, type OneTimeKey } from "./http/sign-in-links.ts";
import { type Clock, systemClock, systemTimers, type Timers } from "./lib/clock.ts";
import { idSource } from "./lib/id.ts";
import { createSharedClock } from "./lib/shared-clock.ts";
import { createLyceumClient } from "./lyceum/client.ts";
import type { Fetch } from "./lyceum/http-exchange.ts";
import { createRateLimiter } from "./lyceum/rate-limiter.ts";
import type { Context } from "./orchestration/context.ts";
import { settingsInForce } from "./settings.ts";
import { applyKeyBudgets } from "./store/cost-totals.ts";
import { namingDatabase } from "./store/db/opening-error.ts";
import { lockDatabase } from "./store/db/sqlite-lock.ts";
import { readPlaces } from "./store/places.ts";
import { openStore } from "./store/store.ts";
import { demoteWebhooks } from "./store/webhooks.ts";
import { createLogger, type Logger } from "./telemetry/logger.ts";
import { createMetrics, type Metrics } from "./telemetry/metrics.ts";
import { createReport } from "./telemetry/report.ts";
import { createCollect } from "./workers/collect/collect.ts";
import { createMeasure } from "./workers/collect/metrics-on-demand.ts";
import { createRemoteDeletion } from "./workers/delete-remote.ts";
import { createDeliver } from "./workers/deliver/deliver.ts";
import { destinationFinder, type Resolve } from "./workers/deliver/destination.ts";
import { createDispatch } from "./workers/dispatch.ts";
import { createEnforcer } from "./workers/enforce-limits.ts";
import { createLoop, type Loop, type Worker } from "./workers/loop.ts";
import { createMachineTypeSync } from "./workers/machine-types.ts";
import { createPresence } from "./workers/presence.ts";
import { createQueueStats } from "./workers/queue-stats.ts";
import { createReconciler } from "./workers/reconcile/reconcile.ts";
import { recover } from "./workers/recover.ts";
import { createRetention } from "./workers/retention.ts";
import { createStartGate } from "./workers/start-gate.ts";

/** What a test or a simulation replaces. */
export interface AppOverrides {
  clock?: Clock;
  timers?: Timers;
  random?: () => number;
  fetch?: Fetch;
  log?: Logger;
  metrics?: Metrics;
  /** In place of the system's resolver, for webhooks. */
  resolve?: Resolve;
  /** In place of the one that the settings name. */
  dialect?: Dialect;
  /** False: requests come in through `handle` alone. */
  listens?: boolean;
  /** Between two reads of a log that may still grow. */
  logSpacingMs?: number;
  /** Sign in to the operator's page once each. */
  oneTimeKeys?: readonly OneTimeKey[];
  /** Runs that may wait for their start. */
  maxQueued?: number;
}

export interface App {
  /** Answers one request in memory, as it would over the wire. */
  handle(request: Request): Promise<Response>;
  /** Migrates, begins to listen and to work. Answers the port. @throws DatabaseRefused */
  start(): Promise<number>;
  /** Drains: nothing new, what is under way is finished. Resolves when all is closed or the grace is over. */
  stop(): Promise<void>;
}

export function createApp(config: Config, surroundings: AppOverrides = {}): App {
  const { timers = systemTimers, random = Math.random, listens = true } = surroundings;
  const hostClock = surroundings.clock ?? systemClock;
  const clock = createSharedClock(hostClock);
  const log = surroundings.log ?? createLogger(config.logLevel);
  const metrics = surroundings.metrics ?? createMetrics({ process: true });
  metrics.buildInfo.set({ version: packageJson.version, node: process.versions.node }, 1);
  const report = createReport(log, metrics);
  const newId = idSource(clock, surroundings.random);
  const now = () => clock.now();

  const store = openStore(config.database, clock, newId, surroundings.dialect);
  const rules: Context["rules"] = {
    pollMinMs: config.poll.minMs,
    pollMaxMs: config.poll.maxMs,
    callbackGraceMs: config.callbackGraceMs,
    inDoubtAfterMs: config.inDoubtAfterMs,
    submitPatienceMs: START_LEASE_MS,
  };
  const health = createCallbackHealth({ asked: config.publicUrl !== null, graceMs: config.callbackGraceMs });
  const context: Context = {
    store,
    newId,
    random,
    rules,
    health,
    durations: createDurations(),
    backlog: createBacklog(surroundings.maxQueued),
    report,
    sharedLimits: store.kind === "sqlite" ? null : config.submit,
  };

  const throttle = createRateLimiter({
    clock,
    random,
    limits: { execution: context.sharedLimits === null ? config.submit.limit : null },
    concurrency: { execution: config.submit.concurrency },
  });
  const gate = createStartGate(clock, random);
  const presence = createPresence(context, { version: packageJson.version, hostClock, clock });
  const lyceum = createLyceumClient({
    baseUrl: config.lyceum.baseUrl,
    orgSlug: config.lyceum.orgSlug,
    credentials: credentialsOf(config),
    throttle,
    clock,
    timers,
    ...(surroundings.fetch === undefined ? {} : { fetch: surroundings.fetch }),
    log: ({ method, route, status, durationMs }) =>
      report.lyceumCall({ endpoint: `${method} ${route}`, outcome: String(status ?? "none"), durationMs }),
  });

  const [secret] = config.callbackSecrets;
  const callbacks =
    config.publicUrl === null || secret === undefined ? null : { publicUrl: config.publicUrl, secret };
  const { logSpacingMs } = surroundings;
  const { allowPrivate, secret: jobSecret } = config.webhook;
  const findDestination = destinationFinder({ allowPrivate, timers, resolve: surroundings.resolve });
  const collect = createCollect(context, {
    lyceum,
    now,
    ...(logSpacingMs === undefined ? {} : { logSpacingMs }),
    takesOver: () => accepting,
    onCapacity: () => wake("collect", now()),
  });
  const workers: Worker[] = [
    createDispatch(context, {
      lyceum,
      throttle,
      gate,
      callbacks,
      isHeldAlive: presence.isHeldAlive,
      concurrency: config.submit.concurrency,
      clock,
      onCapacity: () => wake("dispatch", now()),
    }),
    createReconciler(context, {
      lyceum,
      now,
      collect,
      onCapacity: () => wake("check", now()),
      awayMs: throttle.awayMs,
      isCrowded: throttle.isCrowded,
    }),
    collect,
    createEnforcer(context),
    createRemoteDeletion(context, { lyceum, now }),
    createMachineTypeSync(context, { lyceum, now }),
    createDeliver(context, {
      findDestination,
      secret: jobSecret,
      clock,
      timers,
      onCapacity: () => wake("deliver", now()),
    }),
    createRetention(context, { retentionMs: config.retentionMs, now }),
    createQueueStats(context, now),
  ];
  const onError = (worker: string, error: unknown) => report.fault(worker, error);
  const loops = new Map<string, Loop>(
    workers.map((worker) => [worker.name, createLoop(worker, { clock, timers, onError })]),
  );
  const wake = (name: string, dueAt: number) => loops.get(name)?.wake(dueAt);
  store.onCommit(wake);
  store.onOutage(report.outage);

  const feed = createEventFeed({
    store,
    now,
    maxSubscriptions: MAX_WAITING,
    onFirst: () => feedLoop.wake(now()),
  });
  // Not one of the workers: while they finish their work, those who wait still hear of it.
  const feedLoop = createLoop(
    { name: "events", runOnce: feed.poll, idle: async () => {} },
    { clock, timers, onError },
  );
  store.onCommit((topic, dueAt) => {
    if (topic === "events") feedLoop.wake(dueAt);
  });
  // The last to stop: without signs of life others would take the work that is being finished.
  const presenceLoop = createLoop(presence, { clock, timers, onError });
  const hangUp = async () => {
    await feedLoop.stop();
    feed.close();
  };

  let accepting = false;
  const metricsText = () => metrics.registry.metrics();
  const appContext: AppContext = {
    ...context,
    now,
    timers,
    feed,
    keys: keyring(config.apiKeys, authenticator(config.apiKeys)),
    signInLimit: createSignInLimit(),
    signInLinks: createSignInLinks(surroundings.oneTimeKeys),
    callbackSecrets: config.callbackSecrets,
    publicPath: publicPathOf(config.publicUrl),
    takesCallbacks: callbacks !== null,
    async webhookProblem(url) {
      const found = await findDestination(url);
      return found.ok ? null : { detail: found.detail, lasts: found.error !== "unresolved" };
    },
    signsForJobs: jobSecret !== null,
    isAccepting: () => accepting,
    async lyceumState() {
      const { groups, breaker } = throttle.state();
      const { sharedLimits } = context;
      const shared = sharedLimits === null ? {} : await readPlaces(store.db, sharedLimits, now());
      const execution = { ...groups.execution, ...shared };
      return { breaker, groups: { ...groups, execution }, startPause: gate.state() };
    },
    measure: createMeasure(lyceum),
    metricsText: config.metricsPort === null ? metricsText : null,
    version: packageJson.version,
    settings: settingsInForce(config),
    instances: presence.list,
    clockAheadMs: presence.clockAheadMs,
  };
  const api = createServer(appContext);
  const listeners = createListeners(appContext, {
    ...config.listen,
    api,
    metricsPort: config.metricsPort,
    metrics: { text: metricsText, type: metrics.registry.contentType },
  });

  /** Whether it is done by then. */
  async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
    let cancel = () => {};
    const late = new Promise<false>((resolve) => {
      cancel = timers.after(Math.max(ms, 0), () => resolve(false));
    });
    return Promise.race([work.then(() => true), late]).finally(() => cancel());
  }

  const pause = (ms: number) =>
    ms === 0 ? Promise.resolve() : new Promise<void>((resolve) => void timers.after(ms, resolve));

  async function closeAll(isDrained: boolean): Promise<void> {
    await hangUp();
    if (!isDrained) listeners.closeNow();
    // What is still under way is left to the next process: claims are given back, so that it need not wait.
    for (const worker of workers) await worker.handBack?.().catch((error) => onError(worker.name, error));
    await presenceLoop.stop();
    await presence.leave(isDrained).catch((error) => onError(presence.name, error));
    await store.close();
    unlock();
  }

  let unlock = () => {};

  /** Makes the database this service's: its lock, its schema, and what its last process left. */
  async function takeOver(): Promise<void> {
    // A simulation's database is its own affair.
    if (surroundings.dialect === undefined) unlock = lockDatabase(config.database, now());
    const applied = await store.migrate();
    if (applied.length > 0) log.info({ event: "migrated", migrations: applied }, "migrations applied");
    // Times that are written from here on are the database's.
    await presence.runOnce();
    await store.write((tx) => applyKeyBudgets(tx.db, config.keyBudgets, tx.now));
    const admins = config.apiKeys.filter(({ role }) => role === "admin").map(({ name }) => name);
    for (const id of await store.write((tx) => demoteWebhooks(tx.db, admins)))
      log.warn({ event: "webhook_demoted", webhook_id: id }, "its key is no administrator's any more");
    const startWindowMs = context.sharedLimits === null ? (config.submit.limit?.windowMs ?? null) : null;
    await recover(context, { throttle, gate, startWindowMs, startMs: MAX_START_MS, now: now() });
  }

  return {
    handle: async (request) => api.fetch(request),

    async start() {
      await namingDatabase(config.database, takeOver);
      const port = listens ? await listeners.open() : 0;
      accepting = true;
      for (const loop of [presenceLoop, feedLoop, ...loops.values()]) loop.start();
      const mode = callbacks === null ? "polling only: PUBLIC_URL is not set" : "callbacks and polling";
      log.info(
        { event: "started", port, database: store.kind, mode, version: appContext.version },
        `listening on ${port}, ${mode}`,
      );
      return port;
    },

    async stop() {
      accepting = false;
      const graceMs = config.shutdownGraceMs - CLOSING_MS;
      // The listeners close last: callbacks are taken, and requests answered, while the work under way is finished, and
      // until everybody who sends requests here has seen that this process is not ready.
      const drainMs =
        listens && config.drainDelayMs > 0 ? Math.min(config.drainDelayMs + ARRIVAL_MS, graceMs / 2) : 0;
      const drained = Promise.all([pause(drainMs), ...[...loops.values()].map((loop) => loop.stop())])
        .then(hangUp)
        .then(listeners.close);
      const isDrained = await within(graceMs, drained);
      const how = isDrained ? "drained" : "late";
      // A database that says nothing must not keep the process.
      const isClosed = await within(CLOSING_MS, closeAll(isDrained));
      log.info({ event: "stopped", how, closed: isClosed }, `stopped: ${how}`);
    },
  };
}

/** Applies missing migrations to a database that no service uses, and answers their names. @throws DatabaseRefused */
export async function migrate(database: Config["database"]): Promise<string[]> {
  const store = openStore(database, systemClock, idSource(systemClock));
  try {
    return await namingDatabase(database, () => {
      const unlock = lockDatabase(database, systemClock.now());
      return store.migrate().finally(unlock);
    });
  } finally {
    await store.close();
  }
}

/** The client gives a start 150 s, and its place in the queue and a fresh token take time too. */
const MAX_START_MS = 4 * 60_000;
/** Renewed while the start is under way: that of a dead process comes due after this. */
const START_LEASE_MS = 30_000;
/** Requests that wait and streams at once: each is a socket and an entry in a map. */
const MAX_WAITING = 10_000;
/** A request sent at the very end of the drain delay may need this long to be accepted. */
const ARRIVAL_MS = 200;
/** Of the grace, kept for closing the database. */
const CLOSING_MS = 1_000;

function credentialsOf({ lyceum: { credentials } }: Config) {
  if (credentials.kind === "key") return { apiKey: credentials.key };
  return { email: credentials.email, password: credentials.password };
}
