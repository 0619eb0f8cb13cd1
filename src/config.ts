// Reads the environment into one frozen Config, or says everything that is wrong with it in one go.
// No message ever quotes a value: a secret may stand in the wrong variable.

import { z } from "zod";
import { isWebhookSecret } from "./domain/webhook.ts";
import { closestMatch } from "./lib/closest-match.ts";
import { parseDuration } from "./lib/duration.ts";

/** What the service was told to do. Durations are milliseconds. */
export interface Config {
  readonly lyceum: {
    /** Without a trailing slash. */
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
  /** The first makes new callback URLs, all of them are accepted. Empty only where `publicUrl` is null. */
  readonly callbackSecrets: readonly string[];
  /** Without a trailing slash. Null: no callback is asked for. */
  readonly publicUrl: string | null;
  readonly database:
    | { readonly kind: "sqlite"; readonly path: string }
    | { readonly kind: "postgres"; readonly url: string; readonly pool?: number };
  /** What a key may spend in each window; the names are those of `apiKeys`. */
  readonly keyBudgets: readonly {
    readonly name: string;
    readonly amount: number;
    readonly windowMs: number;
  }[];
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
  /** Between the signal to stop and the closing of the port. */
  readonly drainDelayMs: number;
  readonly shutdownGraceMs: number;
  /** `secret` as given, `whsec_…`; `allowPrivate` in CIDR notation. */
  readonly webhook: { readonly secret: string | null; readonly allowPrivate: readonly string[] };
  readonly metricsPort: number | null;
}

export type ConfigReading =
  | { ok: true; config: Config; warnings: string[] }
  | { ok: false; problems: { name: string; problem: string }[] };

/** Reads the settings; a blank variable counts as not set, and white space around a value is dropped. */
export function readConfig(env: Record<string, string | undefined>): ConfigReading {
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

/** Reads `DATABASE_URL` alone: whoever only migrates needs none of the other settings. */
export function readDatabase(
  env: Record<string, string | undefined>,
): { ok: true; database: Config["database"] } | Extract<ConfigReading, { ok: false }> {
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

const text = z.string({ error: "is not set" });

/** Goes into an HTTP header, where white space and control characters would break the request. */
const headerText = text.regex(/^[\x21-\x7e]+$/, "holds white space or characters that no HTTP header takes");

const endpoint = text
  .refine(
    (value) => /^https?:\/\//i.test(value) && URL.canParse(value),
    "is not a URL; write it as https://…",
  )
  .transform((value) => new URL(value))
  .refine(
    (url) => url.protocol === "https:" || isLoopback(url),
    "is plain HTTP; use https:// (http:// only on localhost, 127.0.0.0/8 or [::1])",
  )
  .refine((url) => !url.username && !url.password, "carries a user name or password; leave them out")
  .refine((url) => !url.search && !url.hash, "carries a query or fragment; leave it out")
  .transform((url) => url.origin + url.pathname.replace(/\/+$/, ""));

const apiKeys = list(
  text.transform((entry, ctx) => {
    const [name = "", key, role = "submit", ...rest] = entry.split(":");
    if (key === undefined || rest.length > 0 || !/^[A-Za-z0-9._-]{1,64}$/.test(name)) {
      ctx.addIssue("is not name:key[:role] with a name of up to 64 letters, digits and . _ -");
      return z.NEVER;
    }
    if (!/^[\x21-\x7e]{32,}$/.test(key))
      ctx.addIssue(
        "needs a key of 32 characters or more without white space, such as `openssl rand -hex 32` prints",
      );
    const known = z.enum(["submit", "read", "admin"]).safeParse(role);
    if (!known.success) ctx.addIssue("has an unknown role; it is one of submit (default), read, admin");
    return { name, key, role: known.data ?? "submit" };
  }),
  z.string({ error: "is not set; give name:key pairs, a key being such as `openssl rand -hex 32` prints" }),
)
  .refine(
    (keys) => isUnique(keys.map(({ name }) => name)),
    "uses a name twice; each key has a name of its own",
  )
  .refine((keys) => isUnique(keys.map(({ key }) => key)), "gives two names the same key; make a new one");

const database = text.transform((value, ctx): Config["database"] => {
  const path = /^sqlite:(?!\/\/)(.+)$/.exec(value)?.[1];
  if (path !== undefined) return { kind: "sqlite", path };
  if (/^postgres(ql)?:\/\//.test(value) && URL.canParse(value)) return { kind: "postgres", url: value };
  ctx.addIssue("is neither sqlite:path/to/file.db (without //) nor postgres://user:password@host/database");
  return z.NEVER;
});

const submitLimit = text.transform((value, ctx): Config["submit"]["limit"] => {
  if (value === "none") return null;
  const [, max, window = ""] = /^(\d{1,6})\/(\w+)$/.exec(value) ?? [];
  const windowMs = parseDuration(window);
  if (Number(max) >= 1 && windowMs !== null && windowMs >= 1_000 && windowMs <= 86_400_000)
    return { max: Number(max), windowMs };
  ctx.addIssue(
    "is neither `none` nor a number per duration such as 100/1h (at most 999999, window 1s to 1d)",
  );
  return z.NEVER;
});

const keyBudgets = list(
  text.transform((entry, ctx) => {
    const [, name = "", amount, window = ""] =
      /^([A-Za-z0-9._-]{1,64}):(\d{1,6}(?:\.\d{1,6})?)\/(\w+)$/.exec(entry) ?? [];
    const windowMs = parseDuration(window);
    if (Number(amount) > 0 && windowMs !== null && windowMs >= 60_000 && windowMs <= 366 * 86_400_000)
      return { name, amount: Number(amount), windowMs };
    ctx.addIssue(
      "is not name:credits/duration such as alice:50/1d (at most 999999 credits, window 1m to 366d)",
    );
    return z.NEVER;
  }),
).refine((budgets) => isUnique(budgets.map(({ name }) => name)), "names a key twice; each has one budget");

const webhookSecret = text.refine(
  isWebhookSecret,
  "is not whsec_ and 24 to 64 bytes in base64; make one with: echo whsec_$(openssl rand -base64 32)",
);

const settings = {
  LYCEUM_API_KEY: headerText.optional(),
  LYCEUM_EMAIL: z.email("is not an e-mail address").optional(),
  LYCEUM_PASSWORD: text.optional(),
  LYCEUM_ORG_SLUG: headerText.optional(),
  LYCEUM_BASE_URL: endpoint.prefault("https://api.lyceum.technology/api/v2/external"),
  API_KEYS: apiKeys,
  CALLBACK_SECRETS: list(
    text.min(32, "is shorter than 32 characters; make one with `openssl rand -hex 32`"),
  ).optional(),
  PUBLIC_URL: endpoint.optional(),
  DATABASE_URL: database.prefault("sqlite:data/proctor.db"),
  DATABASE_POOL: whole(2, 1_000).prefault("10"),
  KEY_BUDGETS: keyBudgets.optional(),
  HOST: text
    .regex(/^[A-Za-z0-9.:_-]+$/, "is not a host name or address; the port goes into PORT")
    .default("0.0.0.0"),
  PORT: whole(0, 65_535).prefault("8080"),
  LOG_LEVEL: z
    .enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"], {
      error: "is not one of fatal, error, warn, info, debug, trace, silent",
    })
    .default("info"),
  SUBMIT_LIMIT: submitLimit.prefault("100/1h"),
  SUBMIT_CONCURRENCY: whole(1, 100).prefault("8"),
  CALLBACK_GRACE: duration("0s", "1h").prefault("30s"),
  POLL_INTERVAL_MIN: duration("50ms", "1h").prefault("5s"),
  POLL_INTERVAL_MAX: duration("50ms", "1h").prefault("60s"),
  IN_DOUBT_AFTER: duration("1s", "1d").prefault("2m"),
  RETENTION: duration("1h", "3650d").prefault("30d"),
  DRAIN_DELAY: duration("0s", "1m").prefault("2s"),
  SHUTDOWN_GRACE: duration("1s", "10m").prefault("25s"),
  WEBHOOK_SECRET: webhookSecret.optional(),
  WEBHOOK_ALLOW_PRIVATE: list(
    z.union([z.cidrv4(), z.cidrv6()], { error: "is not a CIDR such as 10.0.0.0/8 or fd00::/8" }),
  ).optional(),
  METRICS_PORT: whole(0, 65_535).optional(),
};

export const settingNames = Object.keys(settings);

type Settings = z.output<z.ZodObject<typeof settings>>;

// `when`: settings that do not agree are told together with those that cannot be read at all.
const environment = z.object(settings).superRefine(agree, { when: () => true });

/** Problems between settings. Any of them may itself be unreadable here, and is then anything but a number. */
function agree(env: Partial<Settings>, ctx: z.RefinementCtx): void {
  const problem = (name: keyof Settings, message: string) =>
    ctx.addIssue({ code: "custom", path: [name], message });
  const { LYCEUM_API_KEY: key, LYCEUM_EMAIL: email, LYCEUM_PASSWORD: password } = env;
  if (key && (email || password))
    problem("LYCEUM_API_KEY", "is set beside LYCEUM_EMAIL or LYCEUM_PASSWORD; keep the key or the pair");
  else if (email && !password)
    problem("LYCEUM_PASSWORD", "is not set, but LYCEUM_EMAIL is; they go together");
  else if (password && !email)
    problem("LYCEUM_EMAIL", "is not set, but LYCEUM_PASSWORD is; they go together");
  else if (!key && !email)
    problem("LYCEUM_API_KEY", "is not set; set it, or LYCEUM_EMAIL together with LYCEUM_PASSWORD");
  // Set beside a key list that cannot be read, there is nothing to compare with.
  const names = Array.isArray(env.API_KEYS) ? env.API_KEYS.map(({ name }) => name) : null;
  const stranger = (env.KEY_BUDGETS ?? []).findIndex(({ name }) => names !== null && !names.includes(name));
  if (stranger >= 0) problem("KEY_BUDGETS", `entry ${stranger + 1} names a key that API_KEYS does not have`);
  if (env.PUBLIC_URL && !env.CALLBACK_SECRETS)
    problem("CALLBACK_SECRETS", "is not set, but PUBLIC_URL is; make a secret with `openssl rand -hex 32`");
  if (Number(env.POLL_INTERVAL_MIN) > Number(env.POLL_INTERVAL_MAX))
    problem("POLL_INTERVAL_MIN", "is longer than POLL_INTERVAL_MAX");
  if (env.METRICS_PORT && env.METRICS_PORT === env.PORT)
    problem("METRICS_PORT", "is the same as PORT; choose another, or leave it out to serve /metrics on PORT");
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
        : { ...env.DATABASE_URL, pool: env.DATABASE_POOL },
    keyBudgets: env.KEY_BUDGETS ?? [],
    listen: { host: env.HOST, port: env.PORT },
    logLevel: env.LOG_LEVEL,
    submit: { limit: env.SUBMIT_LIMIT, concurrency: env.SUBMIT_CONCURRENCY },
    callbackGraceMs: env.CALLBACK_GRACE,
    poll: { minMs: env.POLL_INTERVAL_MIN, maxMs: env.POLL_INTERVAL_MAX },
    inDoubtAfterMs: env.IN_DOUBT_AFTER,
    retentionMs: env.RETENTION,
    drainDelayMs: env.DRAIN_DELAY,
    shutdownGraceMs: env.SHUTDOWN_GRACE,
    webhook: { secret: env.WEBHOOK_SECRET ?? null, allowPrivate: env.WEBHOOK_ALLOW_PRIVATE ?? [] },
    metricsPort: env.METRICS_PORT ?? null,
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

/** Unknown variables that look like a setting written wrong. */
function misspellings(env: Record<string, string | undefined>): string[] {
  const unknown = Object.keys(env).filter((name) => !settingNames.includes(name));
  return unknown.flatMap((name) => {
    const likely = closestMatch(name.toUpperCase(), settingNames);
    return likely === null ? [] : [`${name} is no setting and is ignored; did you mean ${likely}?`];
  });
}

/** Entries between commas; a problem says which entry it is about, by position. */
function list<T>(entry: z.ZodType<T, string>, source = text) {
  return source.transform((value, ctx): T[] =>
    value.split(",").flatMap((part, index) => {
      const read = entry.safeParse(part.trim());
      for (const { message } of read.error?.issues ?? []) ctx.addIssue(`entry ${index + 1} ${message}`);
      return read.success ? [read.data] : [];
    }),
  );
}

function whole(min: number, max: number) {
  const inRange = (value: string) => /^\d{1,9}$/.test(value) && Number(value) >= min && Number(value) <= max;
  return text.refine(inRange, `is not a whole number from ${min} to ${max}`).transform(Number);
}

function duration(min: string, max: string) {
  const [minMs, maxMs] = [parseDuration(min) ?? 0, parseDuration(max) ?? 0];
  return text
    .transform((value) => parseDuration(value) ?? Number.NaN)
    .refine(
      (ms) => ms >= minMs && ms <= maxMs,
      `is not a duration such as 500ms, 30s, 5m, 2h or 7d, from ${min} to ${max}`,
    );
}

function isLoopback({ hostname }: URL): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}

function isUnique(values: string[]): boolean {
  return new Set(values).size === values.length;
}

function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.values(value).forEach(freeze);
  return Object.freeze(value);
}
