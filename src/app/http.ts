// The HTTP side: the event feed, the API and its listeners.
import { createServer } from "../http/app.ts";
import { authenticator, keyring } from "../http/auth.ts";
import { createBearerGate } from "../http/bearer.ts";
import { publicPathOf } from "../http/callback-path.ts";
import { createEventFeed } from "../http/events/feed.ts";
import { createListeners } from "../http/listen.ts";
import type { AppContext } from "../http/request-context.ts";
import { createSignInLinks } from "../http/sign-in-links.ts";
import { createWrongKeyLimit, MAX_WRONG_SIGN_INS } from "../http/wrong-key-limit.ts";
import { checkDisk } from "../lib/disk.ts";
import { remembered } from "../lib/remembered.ts";
import { perBucket } from "../lyceum/priorities.ts";
import { readTimeToKnowledge } from "../orchestration/time-to-knowledge.ts";
import { settingsInForce } from "../settings.ts";
import { listMachineTypes } from "../store/machine-types.ts";
import type { ProcessState } from "../telemetry/state-metrics.ts";
import { readSharedLevels } from "../workers/call-places.ts";
import { createLiveMetricsReader } from "../workers/collect/metrics-on-demand.ts";
import { createLiveLogs } from "../workers/live-logs.ts";
import type { AppParts } from "./context.ts";
import { type AppWorkers, callbacksOf } from "./workers.ts";

export type AppHttp = ReturnType<typeof createHttp>;

export function createHttp(parts: AppParts, background: AppWorkers) {
  const { config, context, now, timers, metrics, wake } = parts;
  const { lyceum, rateLimiter, gate, presence, backups, findDestination } = background;
  const feed = createEventFeed({
    store: context.store,
    now,
    maxSubscriptions: MAX_SUBSCRIPTIONS,
    onFirst: () => wake("events", now()),
  });
  const metricsText = () => {
    metrics.state.setProcessState(processState());
    return metrics.registry.metrics();
  };
  function processState(): ProcessState {
    const { breaker, buckets } = rateLimiter.state();
    const at = now();
    return {
      circuit: breaker.state,
      callbackMode: context.health.mode(at),
      buckets: Object.fromEntries(
        Object.entries(buckets)
          // The state metrics have all others from the database.
          .filter(([bucket]) => bucket === "read" || context.sharedLimits === null)
          .map(([bucket, { remaining, pausedUntil }]) => [
            bucket,
            { remaining, pausedMs: pausedUntil === null ? 0 : Math.max(0, pausedUntil - at) },
          ]),
      ),
      openStreams: feed.count(),
      backup: backupLevel(at),
    };
  }
  function backupLevel(at: number): ProcessState["backup"] {
    if (backups === null) return null;
    const { at: takenAt, ...level } = backups.state();
    return { ageMs: Math.max(0, at - takenAt), ...level };
  }
  const keys = keyring(config.apiKeys, authenticator(config.apiKeys));
  const appContext: AppContext = {
    ...context,
    now,
    timers,
    feed,
    keys,
    bearers: createBearerGate(keys),
    signInLimit: createWrongKeyLimit(MAX_WRONG_SIGN_INS),
    signInLinks: createSignInLinks(parts.overrides.oneTimeKeys),
    callbackSecrets: config.callbackSecrets,
    publicPath: publicPathOf(config.publicUrl),
    takesCallbacks: callbacksOf(config) !== null,
    async webhookProblem(url) {
      const found = await findDestination(url);
      return found.ok ? null : { detail: found.detail, lasts: found.error !== "unresolved" };
    },
    signsForJobs: config.webhook.secret !== null,
    isAccepting: () => parts.state.isAccepting,
    async lyceumState() {
      const { buckets, breaker } = rateLimiter.state();
      const shared = await readSharedLevels(context, now());
      const merged = perBucket((bucket) => ({ ...buckets[bucket], ...shared[bucket] }));
      return { breaker, buckets: merged, startPause: gate.state() };
    },
    // A day has thousands of rows, and the status is read every few seconds by every open page.
    timeToKnowledge: remembered(
      () => readTimeToKnowledge(context.store.db, now()),
      now,
      MAX_KNOWLEDGE_AGE_MS,
    ),
    // Each submission is compared with it.
    machineTypes: remembered(() => listMachineTypes(context.store.db), now, MAX_CATALOGUE_AGE_MS),
    measure: createLiveMetricsReader(lyceum),
    openLiveLog: createLiveLogs(lyceum, parts.clock).open,
    metricsText: config.metricsPort === null ? metricsText : null,
    version: parts.version,
    settings: settingsInForce(config),
    traces: { isOn: config.traces.endpoint !== null, url: config.traces.url },
    instances: presence.list,
    checkDisk: async () => (config.database.kind === "sqlite" ? checkDisk(config.database.path) : []),
    clockAheadMs: presence.clockAheadMs,
  };
  const api = createServer(appContext);
  return {
    feed,
    // Apart from the workers' loops: waiting clients still get events while the workers finish.
    feedLoop: parts.addLoop({ name: "events", runOnce: feed.poll, idle: async () => {} }),
    api,
    listeners: createListeners(appContext, {
      ...config.listen,
      api,
      metricsPort: config.metricsPort,
      metrics: { text: metricsText, type: metrics.registry.contentType },
    }),
  };
}

/** Long polls and streams at once: each is a socket and an entry in a map. */
const MAX_SUBSCRIPTIONS = 10_000;
const MAX_KNOWLEDGE_AGE_MS = 5_000;
const MAX_CATALOGUE_AGE_MS = 1_000;
