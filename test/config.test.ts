import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { settingNames } from "../src/config/environment.ts";
import { type Config, readConfig, readDatabase } from "../src/config.ts";

const key = "k".repeat(32);
const secret = "s".repeat(32);
const minimal = { LYCEUM_API_KEY: "lk_live_1", API_KEYS: `worker:${key}` };
const full = { ...minimal, CALLBACK_SECRETS: secret, PUBLIC_URL: "https://proctor.example.com" };

type Env = Record<string, string | undefined>;

function configOf(env: Env): Config {
  const read = readConfig({ ...full, ...env });
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.config;
}

function warningsOf(env: Env): string[] {
  const read = readConfig({ ...full, ...env });
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.warnings;
}

function problemsOf(env: Env): string[] {
  const read = readConfig({ ...full, ...env });
  return read.ok ? [] : read.problems.map(({ name, problem }) => `${name} ${problem}`);
}

test("two settings are enough to start polling", () => {
  const read = readConfig(minimal);
  expect(read).toEqual({
    ok: true,
    warnings: [expect.stringContaining("PUBLIC_URL is not set")],
    config: {
      lyceum: {
        baseUrl: "https://api.lyceum.technology/api/v2/external",
        orgSlug: null,
        credentials: { kind: "key", key: "lk_live_1" },
      },
      apiKeys: [{ name: "worker", key, role: "submit" }],
      callbackSecrets: [],
      publicUrl: null,
      database: { kind: "sqlite", path: "data/proctor.db" },
      settingsRevision: null,
      keyBudgets: [],
      keyQuotas: [],
      listen: { host: "0.0.0.0", port: 8080 },
      logLevel: "info",
      submit: { limit: { max: 100, windowMs: 3_600_000 }, concurrency: 8 },
      callbackGraceMs: 30_000,
      poll: { minMs: 5_000, maxMs: 60_000 },
      inDoubtAfterMs: 120_000,
      retentionMs: 2_592_000_000,
      exportDir: null,
      backup: null,
      drainDelayMs: 2_000,
      shutdownGraceMs: 25_000,
      webhook: { secret: null, allowPrivate: [] },
      metricsPort: null,
      traces: { endpoint: null, url: null },
    },
  });
});

test("every setting is read", () => {
  const whsec = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
  const config = configOf({
    LYCEUM_API_KEY: undefined,
    LYCEUM_EMAIL: "ada@example.com",
    LYCEUM_PASSWORD: " spaces count ",
    LYCEUM_ORG_SLUG: "lab",
    LYCEUM_BASE_URL: "http://127.0.0.1:4010/api/",
    API_KEYS: `a:${key}a, b:${key}b:read ,c:${key}c:admin`,
    CALLBACK_SECRETS: `${secret}1,${secret}2`,
    PUBLIC_URL: "https://example.com/proctor/",
    DATABASE_URL: "postgres://u:p@db/proctor",
    DATABASE_LISTEN_URL: "postgres://u:p@direct/proctor",
    SETTINGS_REVISION: "7",
    HOST: "::1",
    PORT: "9000",
    LOG_LEVEL: "debug",
    SUBMIT_LIMIT: "none",
    KEY_BUDGETS: "a:50/1d, c:0.5/1h",
    KEY_QUOTAS: "a:500/1d:100, c:5/1h",
    SUBMIT_CONCURRENCY: "2",
    CALLBACK_GRACE: "1m",
    POLL_INTERVAL_MIN: "500ms",
    POLL_INTERVAL_MAX: "500ms",
    IN_DOUBT_AFTER: "5m",
    RETENTION: "7d",
    DRAIN_DELAY: "3s",
    SHUTDOWN_GRACE: "10s",
    WEBHOOK_SECRET: whsec,
    WEBHOOK_ALLOW_PRIVATE: "10.0.0.0/8, fd00::/8",
    METRICS_PORT: "9090",
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318/",
    OTEL_TRACE_URL: "https://traces.example.com/{trace_id}",
  });
  expect(config).toEqual({
    lyceum: {
      baseUrl: "http://127.0.0.1:4010/api",
      orgSlug: "lab",
      credentials: { kind: "login", email: "ada@example.com", password: " spaces count " },
    },
    apiKeys: [
      { name: "a", key: `${key}a`, role: "submit" },
      { name: "b", key: `${key}b`, role: "read" },
      { name: "c", key: `${key}c`, role: "admin" },
    ],
    callbackSecrets: [`${secret}1`, `${secret}2`],
    publicUrl: "https://example.com/proctor",
    database: {
      kind: "postgres",
      url: "postgres://u:p@db/proctor",
      pool: 10,
      listenUrl: "postgres://u:p@direct/proctor",
    },
    settingsRevision: 7,
    keyBudgets: [
      { name: "a", amount: 50, windowMs: 86_400_000 },
      { name: "c", amount: 0.5, windowMs: 3_600_000 },
    ],
    keyQuotas: [
      { name: "a", runs: 500, windowMs: 86_400_000, waiting: 100 },
      { name: "c", runs: 5, windowMs: 3_600_000, waiting: null },
    ],
    listen: { host: "::1", port: 9000 },
    logLevel: "debug",
    submit: { limit: null, concurrency: 2 },
    callbackGraceMs: 60_000,
    poll: { minMs: 500, maxMs: 500 },
    inDoubtAfterMs: 300_000,
    retentionMs: 604_800_000,
    exportDir: null,
    backup: null,
    drainDelayMs: 3_000,
    shutdownGraceMs: 10_000,
    webhook: { secret: whsec, allowPrivate: ["10.0.0.0/8", "fd00::/8"] },
    metricsPort: 9090,
    traces: { endpoint: "http://collector:4318", url: "https://traces.example.com/{trace_id}" },
  });
});

test("the configuration cannot be changed, nested parts included", () => {
  const config = configOf({});
  expect(() => Object.assign(config.listen, { port: 1 })).toThrow(TypeError);
  expect(() => Object.assign(config.apiKeys[0] ?? {}, { role: "admin" })).toThrow(TypeError);
});

test("a blank variable counts as not set, and white space around a value is dropped", () => {
  const config = configOf({ PORT: "  ", LYCEUM_API_KEY: " lk_1\n", METRICS_PORT: "" });
  expect(config.listen.port).toBe(8080);
  expect(config.metricsPort).toBeNull();
  expect(config.lyceum.credentials).toEqual({ kind: "key", key: "lk_1" });
});

test("an empty environment is told all that it lacks", () => {
  const read = readConfig({});
  expect(read.ok || read.problems.map(({ name }) => name)).toEqual(["API_KEYS", "LYCEUM_API_KEY"]);
});

test("problems of single settings and between settings are told in one go", () => {
  const problems = problemsOf({
    API_KEYS: "worker:short",
    LYCEUM_EMAIL: "ada@example.com",
    PORT: "http",
    METRICS_PORT: "70000",
    POLL_INTERVAL_MIN: "2m",
    POLL_INTERVAL_MAX: "1m",
    SUBMIT_LIMIT: "lots",
    CALLBACK_SECRETS: undefined,
  });
  expect(problems.map((problem) => problem.split(" ")[0]).sort()).toEqual([
    "API_KEYS",
    "CALLBACK_SECRETS",
    "LYCEUM_API_KEY",
    "METRICS_PORT",
    "POLL_INTERVAL_MIN",
    "PORT",
    "SUBMIT_LIMIT",
  ]);
});

test.each<[string, Env, string]>([
  ["the key beside a password", { LYCEUM_PASSWORD: "p" }, "LYCEUM_API_KEY is set beside"],
  [
    "an e-mail alone",
    { LYCEUM_API_KEY: "", LYCEUM_EMAIL: "a@example.com" },
    "LYCEUM_PASSWORD is not set, but",
  ],
  ["a password alone", { LYCEUM_API_KEY: "", LYCEUM_PASSWORD: "p" }, "LYCEUM_EMAIL is not set, but"],
  ["a key with white space inside", { LYCEUM_API_KEY: "lk_1\nlk_2" }, "LYCEUM_API_KEY holds white space"],
  [
    "plain HTTP to Lyceum",
    { LYCEUM_BASE_URL: "http://api.lyceum.technology" },
    "LYCEUM_BASE_URL is plain HTTP",
  ],
  ["an API key without a name", { API_KEYS: key }, "API_KEYS entry 1 is not name:key[:role]"],
  ["an unknown role", { API_KEYS: `a:${key}:root` }, "API_KEYS entry 1 has an unknown role"],
  ["a part too many", { API_KEYS: `a:${key}:read:x` }, "API_KEYS entry 1 is not name:key[:role]"],
  ["a short key in second place", { API_KEYS: `a:${key},b:short` }, "API_KEYS entry 2 needs a key of 32"],
  ["a trailing comma", { API_KEYS: `a:${key},` }, "API_KEYS entry 2 is not name:key[:role]"],
  ["a name twice", { API_KEYS: `a:${key},a:${key}2` }, "API_KEYS uses a name twice"],
  ["a key twice", { API_KEYS: `a:${key},b:${key}` }, "API_KEYS gives two names the same key"],
  ["a short callback secret", { CALLBACK_SECRETS: `${secret},x` }, "CALLBACK_SECRETS entry 2 is shorter"],
  ["a public URL over plain HTTP", { PUBLIC_URL: "http://example.com" }, "PUBLIC_URL is plain HTTP"],
  [
    "a host that only looks local",
    { PUBLIC_URL: "http://127.0.0.1.example.com" },
    "PUBLIC_URL is plain HTTP",
  ],
  ["another scheme", { PUBLIC_URL: "ftp://example.com" }, "PUBLIC_URL is not a URL"],
  [
    "a public URL with a password",
    { PUBLIC_URL: "https://u:p@example.com" },
    "PUBLIC_URL carries a user name",
  ],
  ["a public URL with a query", { PUBLIC_URL: "https://example.com/?a=1" }, "PUBLIC_URL carries a query"],
  ["a public URL with a fragment", { PUBLIC_URL: "https://example.com/#a" }, "PUBLIC_URL carries a query"],
  ["a database of another kind", { DATABASE_URL: "mysql://u:p@db/x" }, "DATABASE_URL is neither"],
  ["an ambiguous SQLite path", { DATABASE_URL: "sqlite://data/x.db" }, "DATABASE_URL is neither"],
  ["a host with a port", { HOST: "http://localhost" }, "HOST is not a host name"],
  ["a budget without its window", { KEY_BUDGETS: "worker:50" }, "KEY_BUDGETS entry 1 is not"],
  ["a budget of nothing", { KEY_BUDGETS: "worker:0/1d" }, "KEY_BUDGETS entry 1 is not"],
  ["a budget with a window of a second", { KEY_BUDGETS: "worker:5/1s" }, "KEY_BUDGETS entry 1 is not"],
  ["a quota without its window", { KEY_QUOTAS: "worker:50" }, "KEY_QUOTAS entry 1 is not"],
  ["a quota of no waiting runs", { KEY_QUOTAS: "worker:50/1d:0" }, "KEY_QUOTAS entry 1 is not"],
  ["two quotas of one key", { KEY_QUOTAS: "worker:5/1d,worker:6/1h" }, "KEY_QUOTAS names a key twice"],
  [
    "a quota of a key that there is not",
    { KEY_QUOTAS: "stranger:5/1d" },
    "KEY_QUOTAS entry 1 names a key that API_KEYS does not have",
  ],
  ["two budgets of one key", { KEY_BUDGETS: "worker:5/1d,worker:6/1h" }, "KEY_BUDGETS names a key twice"],
  [
    "a budget of a key that there is not",
    { KEY_BUDGETS: "worker:5/1d,stranger:5/1d" },
    "KEY_BUDGETS entry 2 names a key that API_KEYS does not have",
  ],
  ["a limit of none per hour", { SUBMIT_LIMIT: "0/1h" }, "SUBMIT_LIMIT is neither"],
  ["a limit without its window", { SUBMIT_LIMIT: "100" }, "SUBMIT_LIMIT is neither"],
  ["a limit with an endless window", { SUBMIT_LIMIT: "100/2d" }, "SUBMIT_LIMIT is neither"],
  ["no parallel submissions", { SUBMIT_CONCURRENCY: "0" }, "SUBMIT_CONCURRENCY is not a whole number from 1"],
  ["a duration without a unit", { RETENTION: "30" }, "RETENTION is not a duration"],
  ["a duration out of bounds", { POLL_INTERVAL_MIN: "1ms" }, "POLL_INTERVAL_MIN is not a duration"],
  ["an unknown log level", { LOG_LEVEL: "loud" }, "LOG_LEVEL is not one of"],
  ["a webhook secret without its prefix", { WEBHOOK_SECRET: "A".repeat(44) }, "WEBHOOK_SECRET is not whsec_"],
  ["a short webhook secret", { WEBHOOK_SECRET: "whsec_c2hvcnQ=" }, "WEBHOOK_SECRET is not whsec_"],
  [
    "an address without a prefix",
    { WEBHOOK_ALLOW_PRIVATE: "10.0.0.1" },
    "WEBHOOK_ALLOW_PRIVATE entry 1 is not a CIDR",
  ],
  [
    "a trace URL without its id",
    { OTEL_TRACE_URL: "https://traces.example.com" },
    "OTEL_TRACE_URL is not a URL with",
  ],
  ["metrics on the same port", { METRICS_PORT: "8080" }, "METRICS_PORT is the same as PORT"],
])("%s is a problem", (_, env, problem) => {
  expect(problemsOf(env)).toEqual([expect.stringContaining(problem)]);
});

test.each(["http://localhost:8080", "http://127.8.9.10", "http://[::1]:1", "https://example.com/a/b"])(
  "%s may be the public URL",
  (url) => {
    expect(configOf({ PUBLIC_URL: `${url}/` }).publicUrl).toBe(url);
  },
);

test.each<[string, Env, string]>([
  ["an unusual key", { LYCEUM_API_KEY: "eyJhbGciOi" }, "LYCEUM_API_KEY does not start with lk_"],
  ["an unencrypted Lyceum", { LYCEUM_BASE_URL: "http://localhost:1" }, "LYCEUM_BASE_URL is plain HTTP"],
  [
    "callbacks to a place that Lyceum cannot reach",
    { PUBLIC_URL: "http://localhost:1" },
    "Lyceum cannot reach it",
  ],
  ["webhooks that may reach everything", { WEBHOOK_ALLOW_PRIVATE: "0.0.0.0/0" }, "every address"],
  ["SUBMIT_LIMITS", { SUBMIT_LIMITS: "5/1h" }, "did you mean SUBMIT_LIMIT?"],
  ["CALLBACK_SECRET", { CALLBACK_SECRET: "x" }, "did you mean CALLBACK_SECRETS?"],
  ["submit_limit in small letters", { submit_limit: "5/1h" }, "did you mean SUBMIT_LIMIT?"],
])("%s is worth a warning", (_, env, warning) => {
  expect(warningsOf(env)).toEqual([expect.stringContaining(warning)]);
});

test("a proper configuration among a machine's other variables gives no warnings", () => {
  expect(
    warningsOf({ PATH: "/bin", HOME: "/root", HOSTNAME: "box", POSTGRES_DB: "x", NODE_ENV: "test" }),
  ).toEqual([]);
});

test("neither a problem nor a warning quotes a value", () => {
  const names = ["LYCEUM_API_KEY", "LYCEUM_EMAIL", "LYCEUM_PASSWORD", "LYCEUM_BASE_URL", "API_KEYS", "PORT"];
  const more = [
    "CALLBACK_SECRETS",
    "PUBLIC_URL",
    "DATABASE_URL",
    "WEBHOOK_SECRET",
    "WEBHOOK_ALLOW_PRIVATE",
    "LOG_LEVEL",
  ];
  const shapes = [
    "%",
    "%:%",
    "a:%:%",
    "https://%@host",
    "https://host/?%",
    "sqlite://%",
    "whsec_%",
    "%,%",
    "10s%",
  ];
  fc.assert(
    fc.property(
      fc.subarray([...names, ...more], { minLength: 1 }),
      fc.constantFrom(...shapes),
      (set, shape) => {
        const value = shape.replaceAll("%", "Tr0ub4dor");
        const read = readConfig({ ...full, ...Object.fromEntries(set.map((name) => [name, value])) });
        expect(JSON.stringify(read.ok ? read.warnings : read.problems)).not.toContain("Tr0ub4dor");
      },
    ),
  );
});

test("the example of an .env file names every setting, and works once its placeholders are replaced", () => {
  const example = readFileSync(new URL("../.env.example", import.meta.url), "utf8");
  const named = [...example.matchAll(/^#?([A-Z_]+)=/gm)].map(([, name]) => name);
  expect(named.toSorted()).toEqual(settingNames.toSorted());
  let count = 0;
  const filled = example.replaceAll(/replace_me_with_\w+/g, () => `${count++}`.padStart(32, "k"));
  expect(readConfig(parseEnv(filled))).toMatchObject({ ok: true });
});

test("whoever only migrates needs DATABASE_URL alone", () => {
  expect(readDatabase({})).toEqual({ ok: true, database: { kind: "sqlite", path: "data/proctor.db" } });
  expect(readDatabase({ DATABASE_URL: "mysql://nope" })).toMatchObject({
    ok: false,
    problems: [{ name: "DATABASE_URL" }],
  });
});
