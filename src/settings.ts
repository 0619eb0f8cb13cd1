// The settings in force under their names in the environment, without secrets.
import type { Config } from "./config.ts";
import { formatDuration } from "./lib/duration.ts";
import { HIDDEN } from "./lib/redact.ts";

export interface Setting {
  name: string;
  /** As the environment would write it; null: not set. */
  value: string | null;
  redacted: boolean;
}

/** Read back, settings that are not redacted give the same configuration. */
export function settingsInForce(config: Config): Setting[] {
  const { lyceum, submit, listen, poll, webhook, database, traces } = config;
  const { credentials } = lyceum;
  const isLogin = credentials.kind === "login";
  return [
    secret("LYCEUM_API_KEY", !isLogin),
    secret("LYCEUM_EMAIL", isLogin),
    secret("LYCEUM_PASSWORD", isLogin),
    plain("LYCEUM_ORG_SLUG", lyceum.orgSlug),
    plain("LYCEUM_BASE_URL", lyceum.baseUrl),
    redacted(
      "API_KEYS",
      config.apiKeys.map(({ name, role }) => `${name}:${HIDDEN}:${role}`),
    ),
    redacted(
      "CALLBACK_SECRETS",
      config.callbackSecrets.map(() => HIDDEN),
    ),
    plain("PUBLIC_URL", config.publicUrl),
    database.kind === "sqlite"
      ? plain("DATABASE_URL", `sqlite:${database.path}`)
      : redacted("DATABASE_URL", [withoutLogin(database.url)]),
    plain("DATABASE_POOL", "pool" in database ? String(database.pool) : null),
    redacted("DATABASE_LISTEN_URL", listenUrlOf(database)),
    plain("SETTINGS_REVISION", config.settingsRevision === null ? null : String(config.settingsRevision)),
    plain("KEY_BUDGETS", joined(config.keyBudgets.map(budgetText))),
    plain("KEY_QUOTAS", joined(config.keyQuotas.map(quotaText))),
    plain("HOST", listen.host),
    plain("PORT", String(listen.port)),
    plain("LOG_LEVEL", config.logLevel),
    plain("SUBMIT_LIMIT", submit.limit === null ? "none" : limitText(submit.limit)),
    plain("SUBMIT_CONCURRENCY", String(submit.concurrency)),
    plain("CALLBACK_GRACE", formatDuration(config.callbackGraceMs)),
    plain("POLL_INTERVAL_MIN", formatDuration(poll.minMs)),
    plain("POLL_INTERVAL_MAX", formatDuration(poll.maxMs)),
    plain("IN_DOUBT_AFTER", formatDuration(config.inDoubtAfterMs)),
    plain("RETENTION", formatDuration(config.retentionMs)),
    plain("EXPORT_DIR", config.exportDir),
    plain("BACKUP_DIR", config.backup?.folder ?? null),
    plain("BACKUP_INTERVAL", config.backup === null ? null : formatDuration(config.backup.intervalMs)),
    plain("BACKUP_KEEP", config.backup === null ? null : String(config.backup.keep)),
    plain("DRAIN_DELAY", formatDuration(config.drainDelayMs)),
    plain("SHUTDOWN_GRACE", formatDuration(config.shutdownGraceMs)),
    secret("WEBHOOK_SECRET", webhook.secret !== null),
    plain("WEBHOOK_ALLOW_PRIVATE", joined(webhook.allowPrivate)),
    plain("OTEL_EXPORTER_OTLP_ENDPOINT", traces.endpoint),
    plain("OTEL_TRACE_URL", traces.url),
    plain("METRICS_PORT", config.metricsPort === null ? null : String(config.metricsPort)),
  ];
}

function listenUrlOf(database: Config["database"]): string[] {
  const url = database.kind === "postgres" ? database.listenUrl : undefined;
  return url === undefined ? [] : [withoutLogin(url)];
}

function plain(name: string, value: string | null): Setting {
  return { name, value, redacted: false };
}

function redacted(name: string, parts: readonly string[]): Setting {
  const value = joined(parts);
  return { name, value, redacted: value !== null };
}

function secret(name: string, isSet: boolean): Setting {
  return redacted(name, isSet ? [HIDDEN] : []);
}

function joined(parts: readonly string[]): string | null {
  return parts.length === 0 ? null : parts.join(",");
}

function limitText({ max, windowMs }: { max: number; windowMs: number }): string {
  return `${max}/${formatDuration(windowMs)}`;
}

function budgetText({ name, amount, windowMs }: Config["keyBudgets"][number]): string {
  return `${name}:${amount}/${formatDuration(windowMs)}`;
}

function quotaText({ name, runs, windowMs, waiting }: Config["keyQuotas"][number]): string {
  return `${name}:${runs}/${formatDuration(windowMs)}${waiting === null ? "" : `:${waiting}`}`;
}

/** User, password and parameters may be secret. */
function withoutLogin(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${HIDDEN}@${host}${pathname}`;
}
