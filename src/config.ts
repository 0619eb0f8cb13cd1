// Reads the environment into one frozen Config, or reports all its problems at once.
import { environment, type Settings, settingNames, settings } from "./config/environment.ts";
import { isLoopback } from "./config/values.ts";
import type { KeyQuota } from "./domain/key-quota.ts";
import { closestMatch } from "./lib/closest-match.ts";

/** Durations are milliseconds. */
export interface Config {
  readonly lyceum: {
    readonly baseUrl: string;
    readonly orgSlug: string | null;
    readonly credentials:
      | { readonly kind: "key"; readonly key: string }
      | { readonly kind: "login"; readonly email: string; readonly password: string };
  };
  readonly apiKeys: readonly {
    readonly name: string;
    readonly key: string;
    readonly role: "submit" | "read" | "admin";
  }[];
  /** The first signs new callback URLs, and all are accepted. Empty only if `publicUrl` is null. */
  readonly callbackSecrets: readonly string[];
  /** Null requests no callbacks. */
  readonly publicUrl: string | null;
  readonly database:
    | { readonly kind: "sqlite"; readonly path: string }
    | {
        readonly kind: "postgres";
        readonly url: string;
        readonly pool?: number;
        /** For LISTEN, where `url` goes through a pooler. */
        readonly listenUrl?: string;
      };
  /** The database's settings are applied unless it has those of a higher revision. Null: always. */
  readonly settingsRevision: number | null;
  /** Credits per window of a key in `apiKeys`. */
  readonly keyBudgets: readonly {
    readonly name: string;
    readonly amount: number;
    readonly windowMs: number;
  }[];
  /** Maximum of runs that a key submits and has waiting; the names are those of `apiKeys`. */
  readonly keyQuotas: readonly KeyQuota[];
  readonly listen: { readonly host: string; readonly port: number };
  readonly logLevel: "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent";
  readonly submit: {
    readonly limit: { readonly max: number; readonly windowMs: number } | null;
    readonly concurrency: number;
  };
  readonly callbackGraceMs: number;
  readonly poll: { readonly minMs: number; readonly maxMs: number };
  readonly inDoubtAfterMs: number;
  readonly retentionMs: number;
  /** Jobs are exported to this folder before they are pruned. */
  readonly exportDir: string | null;
  readonly backup: { readonly folder: string; readonly intervalMs: number; readonly keep: number } | null;
  readonly drainDelayMs: number;
  readonly shutdownGraceMs: number;
  /** `secret` in the format `whsec_…`; `allowPrivate` in CIDR notation. */
  readonly webhook: { readonly secret: string | null; readonly allowPrivate: readonly string[] };
  readonly metricsPort: number | null;
  /** `endpoint` of an OpenTelemetry collector, without a trailing slash; `url` of a trace, with `{trace_id}`. */
  readonly traces: { readonly endpoint: string | null; readonly url: string | null };
}

export type ConfigResult =
  | { ok: true; config: Config; warnings: string[] }
  | { ok: false; problems: { name: string; problem: string }[] };

/** A blank variable counts as not set. White space around a value is dropped. */
export function readConfig(env: Record<string, string | undefined>): ConfigResult {
  const given = Object.fromEntries(settingNames.map((name) => [name, normalize(name, env[name])]));
  const read = environment.safeParse(given);
  if (!read.success) {
    const problems = read.error.issues.map(({ path, message }) => ({
      name: String(path[0]),
      problem: message,
    }));
    return { ok: false, problems };
  }
  const config = freeze(toConfig(read.data));
  return { ok: true, config, warnings: [...configWarnings(config), ...misspellings(env)] };
}

/** A migration needs no other setting. */
export function readDatabase(
  env: Record<string, string | undefined>,
): { ok: true; database: Config["database"] } | Extract<ConfigResult, { ok: false }> {
  const read = settings.DATABASE_URL.safeParse(normalize("DATABASE_URL", env.DATABASE_URL));
  if (read.success) return { ok: true, database: read.data };
  return {
    ok: false,
    problems: read.error.issues.map(({ message }) => ({ name: "DATABASE_URL", problem: message })),
  };
}

function normalize(name: string, value: string | undefined): string | undefined {
  return (name === "LYCEUM_PASSWORD" ? value : value?.trim()) || undefined;
}

function toConfig(env: Settings): Config {
  const { LYCEUM_API_KEY: key, LYCEUM_EMAIL: email = "", LYCEUM_PASSWORD: password = "" } = env;
  return {
    lyceum: {
      baseUrl: env.LYCEUM_BASE_URL,
      orgSlug: env.LYCEUM_ORG_SLUG ?? null,
      credentials: key ? { kind: "key", key } : { kind: "login", email, password },
    },
    apiKeys: env.API_KEYS,
    callbackSecrets: env.CALLBACK_SECRETS ?? [],
    publicUrl: env.PUBLIC_URL ?? null,
    database:
      env.DATABASE_URL.kind === "sqlite"
        ? env.DATABASE_URL
        : {
            ...env.DATABASE_URL,
            pool: env.DATABASE_POOL,
            ...(env.DATABASE_LISTEN_URL === undefined ? {} : { listenUrl: env.DATABASE_LISTEN_URL }),
          },
    settingsRevision: env.SETTINGS_REVISION ?? null,
    keyBudgets: env.KEY_BUDGETS ?? [],
    keyQuotas: env.KEY_QUOTAS ?? [],
    listen: { host: env.HOST, port: env.PORT },
    logLevel: env.LOG_LEVEL,
    submit: { limit: env.SUBMIT_LIMIT, concurrency: env.SUBMIT_CONCURRENCY },
    callbackGraceMs: env.CALLBACK_GRACE,
    poll: { minMs: env.POLL_INTERVAL_MIN, maxMs: env.POLL_INTERVAL_MAX },
    inDoubtAfterMs: env.IN_DOUBT_AFTER,
    retentionMs: env.RETENTION,
    exportDir: env.EXPORT_DIR ?? null,
    backup:
      env.BACKUP_DIR === undefined
        ? null
        : { folder: env.BACKUP_DIR, intervalMs: env.BACKUP_INTERVAL, keep: env.BACKUP_KEEP },
    drainDelayMs: env.DRAIN_DELAY,
    shutdownGraceMs: env.SHUTDOWN_GRACE,
    webhook: { secret: env.WEBHOOK_SECRET ?? null, allowPrivate: env.WEBHOOK_ALLOW_PRIVATE ?? [] },
    metricsPort: env.METRICS_PORT ?? null,
    traces: { endpoint: env.OTEL_EXPORTER_OTLP_ENDPOINT ?? null, url: env.OTEL_TRACE_URL ?? null },
  };
}

function configWarnings({ lyceum, publicUrl, webhook }: Config): string[] {
  const warnings: string[] = [];
  const { credentials, baseUrl } = lyceum;
  const remote = !isLoopback(new URL(baseUrl));
  if (credentials.kind === "key" && !credentials.key.startsWith("lk_"))
    warnings.push("LYCEUM_API_KEY does not start with lk_ as Lyceum's API keys do");
  if (baseUrl.startsWith("http:"))
    warnings.push("LYCEUM_BASE_URL is plain HTTP: credentials travel in the clear");
  if (publicUrl === null)
    warnings.push("PUBLIC_URL is not set: no callbacks are asked for, only polling finds ends");
  else if (remote && isLoopback(new URL(publicUrl)))
    warnings.push("PUBLIC_URL is a loopback address: Lyceum cannot reach it, only polling will find ends");
  if (webhook.allowPrivate.some((cidr) => cidr.endsWith("/0")))
    warnings.push("WEBHOOK_ALLOW_PRIVATE lets webhooks reach every address, this machine's own included");
  return warnings;
}

/** Unknown variables that resemble a setting. */
function misspellings(env: Record<string, string | undefined>): string[] {
  const unknown = Object.keys(env).filter((name) => !settingNames.includes(name));
  return unknown.flatMap((name) => {
    const likely = closestMatch(name.toUpperCase(), settingNames);
    return likely === null ? [] : [`${name} is no setting and is ignored; did you mean ${likely}?`];
  });
}

function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.values(value).forEach(freeze);
  return Object.freeze(value);
}
