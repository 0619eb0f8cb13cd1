// The settings: names, formats and defaults, and how they must agree.
import { z } from "zod";
import type { KeyQuota } from "../domain/key-quota.ts";
import { isWebhookSecret } from "../domain/webhook.ts";
import { parseDuration } from "../lib/duration.ts";
import { duration, endpoint, headerText, isUnique, list, text, whole } from "./values.ts";

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

const postgresUrl = text.refine(
  (value) => /^postgres(ql)?:\/\//.test(value) && URL.canParse(value),
  "is not postgres://user:password@host/database",
);

type DatabaseSetting = { kind: "sqlite"; path: string } | { kind: "postgres"; url: string };

const database = text.transform((value, ctx): DatabaseSetting => {
  const path = /^sqlite:(?!\/\/)(.+)$/.exec(value)?.[1];
  if (path !== undefined) return { kind: "sqlite", path };
  if (/^postgres(ql)?:\/\//.test(value) && URL.canParse(value)) return { kind: "postgres", url: value };
  ctx.addIssue("is neither sqlite:path/to/file.db (without //) nor postgres://user:password@host/database");
  return z.NEVER;
});

const submitLimit = text.transform((value, ctx): { max: number; windowMs: number } | null => {
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

const keyQuotas = list(
  text.transform((entry, ctx): KeyQuota => {
    const [, name = "", runs, window = "", waiting] =
      /^([A-Za-z0-9._-]{1,64}):(\d{1,7})\/(\w+)(?::(\d{1,7}))?$/.exec(entry) ?? [];
    const windowMs = parseDuration(window);
    const isWindow = windowMs !== null && windowMs >= 1_000 && windowMs <= 366 * 86_400_000;
    if (Number(runs) > 0 && isWindow && waiting !== "0")
      return { name, runs: Number(runs), windowMs, waiting: waiting === undefined ? null : Number(waiting) };
    ctx.addIssue(
      "is not name:runs/duration[:waiting] such as alice:500/1d:100 (at most 9999999 runs, window 1s to 366d)",
    );
    return z.NEVER;
  }),
).refine((quotas) => isUnique(quotas.map(({ name }) => name)), "names a key twice; each has one quota");

const webhookSecret = text.refine(
  isWebhookSecret,
  "is not whsec_ and 24 to 64 bytes in base64; make one with: echo whsec_$(openssl rand -base64 32)",
);

// Plain HTTP is usual beside a collector of one's own, and spans hold no secrets.
const collectorUrl = text
  .refine(
    (value) => /^https?:/.test(value) && URL.canParse(value) && !/[?#@]/.test(value),
    "is not the base URL of a collector such as http://localhost:4318, without login, query and fragment",
  )
  .transform((value) => value.replace(/\/+$/, ""));

const traceUrl = text.refine(
  (value) => value.includes("{trace_id}") && /^https?:/.test(value) && URL.canParse(value),
  "is not a URL with {trace_id} in it, such as https://traces.example.com/trace/{trace_id}",
);

export const settings = {
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
  DATABASE_LISTEN_URL: postgresUrl.optional(),
  SETTINGS_REVISION: whole(0, 999_999_999).optional(),
  KEY_BUDGETS: keyBudgets.optional(),
  KEY_QUOTAS: keyQuotas.optional(),
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
  EXPORT_DIR: text.optional(),
  BACKUP_DIR: text.optional(),
  BACKUP_INTERVAL: duration("1m", "30d").prefault("1h"),
  BACKUP_KEEP: whole(1, 10_000).prefault("24"),
  DRAIN_DELAY: duration("0s", "1m").prefault("2s"),
  SHUTDOWN_GRACE: duration("1s", "10m").prefault("25s"),
  WEBHOOK_SECRET: webhookSecret.optional(),
  WEBHOOK_ALLOW_PRIVATE: list(
    z.union([z.cidrv4(), z.cidrv6()], { error: "is not a CIDR such as 10.0.0.0/8 or fd00::/8" }),
  ).optional(),
  METRICS_PORT: whole(0, 65_535).optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: collectorUrl.optional(),
  OTEL_TRACE_URL: traceUrl.optional(),
};

export const settingNames = Object.keys(settings);

export type Settings = z.output<z.ZodObject<typeof settings>>;

// `when` reports settings that do not agree together with settings that cannot be read.
export const environment = z.object(settings).superRefine(agree, { when: () => true });

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
  // Without a readable key list there are no names to compare with.
  const names = Array.isArray(env.API_KEYS) ? env.API_KEYS.map(({ name }) => name) : null;
  for (const setting of ["KEY_BUDGETS", "KEY_QUOTAS"] as const) {
    const entries: readonly { name: string }[] = env[setting] ?? [];
    const unknown = entries.findIndex(({ name }) => names !== null && !names.includes(name));
    if (unknown >= 0) problem(setting, `entry ${unknown + 1} names a key that API_KEYS does not have`);
  }
  if (env.PUBLIC_URL && !env.CALLBACK_SECRETS)
    problem("CALLBACK_SECRETS", "is not set, but PUBLIC_URL is; make a secret with `openssl rand -hex 32`");
  if (Number(env.POLL_INTERVAL_MIN) > Number(env.POLL_INTERVAL_MAX))
    problem("POLL_INTERVAL_MIN", "is longer than POLL_INTERVAL_MAX");
  if (env.BACKUP_DIR && env.DATABASE_URL?.kind === "postgres")
    problem("BACKUP_DIR", "is for SQLite; back up PostgreSQL with its own tools");
  if (env.METRICS_PORT && env.METRICS_PORT === env.PORT)
    problem("METRICS_PORT", "is the same as PORT; choose another, or leave it out to serve /metrics on PORT");
}
