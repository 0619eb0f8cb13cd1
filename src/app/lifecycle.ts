// Start and stop: the database is taken over first and closed last; listeners stay open while work is finished.
import { within } from "../lib/clock.ts";
import { applyKeyBudgets } from "../store/cost-totals.ts";
import { namingDatabase } from "../store/db/opening-error.ts";
import { lockDatabase } from "../store/db/sqlite-lock.ts";
import { assertNotMoved } from "../store/move.ts";
import { MAX_START_MS } from "../store/places.ts";
import { mayApply } from "../store/settings-revision.ts";
import { concernsOthers, connectWakeUps, type WakeUps } from "../store/wake-ups.ts";
import { demoteWebhooks } from "../store/webhooks.ts";
import { recover } from "../workers/recover.ts";
import type { AppParts } from "./context.ts";
import type { AppHttp } from "./http.ts";
import { startWindowMs } from "./start-window.ts";
import { type AppWorkers, callbacksOf } from "./workers.ts";

export function createLifecycle(
  {
    config,
    overrides,
    context,
    timers,
    now,
    log,
    version,
    state,
    onError,
    wake,
    openTraces,
    closeTraces,
  }: AppParts,
  { workers, loops, presence, presenceLoop, rateLimiter, gate }: AppWorkers,
  { feed, feedLoop, listeners }: AppHttp,
) {
  const { listens = true } = overrides;
  const { store } = context;
  let unlock = () => {};
  let wakeUps: WakeUps | null = null;
  store.onCommit((topic, dueAt) => {
    if (dueAt <= now() && concernsOthers(topic)) wakeUps?.tell(topic);
  });

  async function takeOver(): Promise<void> {
    // A simulation brings its own database, which has no file to lock.
    if (overrides.dialect === undefined) unlock = lockDatabase(config.database, now());
    const applied = await store.migrate();
    await assertNotMoved(store.db);
    if (applied.length > 0) log.info({ event: "migrated", migrations: applied }, "migrations applied");
    // From here on all times are the database's.
    await presence.runOnce();
    await applySettings();
    await recover(context, {
      rateLimiter,
      gate,
      startWindowMs: startWindowMs({ config, context }),
      startMs: MAX_START_MS,
      now: now(),
    });
  }

  /** Unless a newer revision has been applied. */
  async function applySettings(): Promise<void> {
    const admins = config.apiKeys.filter(({ role }) => role === "admin").map(({ name }) => name);
    const demoted = await store.write(async (tx) => {
      if (!(await mayApply(tx.db, config.settingsRevision))) return null;
      await applyKeyBudgets(tx.db, config.keyBudgets, tx.now);
      return demoteWebhooks(tx.db, admins);
    });
    if (demoted === null) log.info({ event: "settings_older" }, "newer settings are applied already");
    for (const id of demoted ?? [])
      log.warn({ event: "webhook_demoted", webhook_id: id }, "webhook limited: its key is no administrator");
  }

  async function closeFeed(): Promise<void> {
    await feedLoop.stop();
    feed.close();
  }

  async function closeAll(isDrained: boolean): Promise<void> {
    await closeFeed();
    if (!isDrained) listeners.closeNow();
    // Release claims, so that the next process need not wait for the ends of their leases.
    for (const worker of workers) await worker.release?.().catch((error) => onError(worker.name, error));
    await wakeUps?.close();
    // Last, because without heartbeats other instances would take over work that is being finished.
    await presenceLoop.stop();
    await presence.leave(isDrained).catch((error) => onError(presence.name, error));
    await store.close();
    unlock();
    await within(
      timers,
      LAST_SPANS_MS,
      closeTraces().catch((error) => onError("traces", error)),
    );
  }

  const pause = (ms: number) =>
    ms === 0 ? Promise.resolve() : new Promise<void>((resolve) => void timers.after(ms, resolve));

  return {
    async start(): Promise<number> {
      await openTraces();
      await namingDatabase(config.database, takeOver);
      for (const warning of overrides.warnings ?? []) log.warn({ event: "setting_warning" }, warning);
      const port = listens ? await listeners.open() : 0;
      state.isAccepting = true;
      if (config.database.kind === "postgres") {
        const { listenUrl, url } = config.database;
        const connect = overrides.connectWakeUps ?? connectWakeUps;
        wakeUps = connect(store, listenUrl ?? url, (topic) => wake(topic, now()));
      }
      for (const loop of [presenceLoop, feedLoop, ...loops]) loop.start();
      const hasCallbacks = callbacksOf(config) !== null;
      const mode = hasCallbacks ? "callbacks and polling" : "polling only: PUBLIC_URL is not set";
      log.info(
        { event: "started", port, database: store.kind, mode, version },
        `listening on ${port}, ${mode}`,
      );
      return port;
    },

    async stop(): Promise<void> {
      state.isAccepting = false;
      const graceMs = config.shutdownGraceMs - CLOSING_MS;
      // Listeners close last: requests are answered until clients have seen the red readiness.
      const drainMs =
        listens && config.drainDelayMs > 0 ? Math.min(config.drainDelayMs + ARRIVAL_MS, graceMs / 2) : 0;
      const drained = Promise.all([pause(drainMs), ...loops.map((loop) => loop.stop())])
        .then(closeFeed)
        .then(listeners.close);
      const isDrained = await within(timers, graceMs, drained);
      const how = isDrained ? "drained" : "late";
      // Bounded, because a database that does not answer must not keep the process.
      const isClosed = await within(timers, CLOSING_MS, closeAll(isDrained));
      log.info({ event: "stopped", how, closed: isClosed }, `stopped: ${how}`);
    },
  };
}

/** Time to accept a request that was sent at the very end of the drain delay. */
const ARRIVAL_MS = 200;
/** A collector that does not answer must not hold up the end. */
const LAST_SPANS_MS = 500;
/** Part of the grace that is reserved for closing the database. */
const CLOSING_MS = 1_000;
