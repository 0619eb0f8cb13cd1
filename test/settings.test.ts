// The settings in force as administrators see them.
import { expect, test } from "vitest";
import { settingNames } from "../src/config/environment.ts";
import { type Config, readConfig } from "../src/config.ts";
import { settingsInForce } from "../src/settings.ts";
import { eachService } from "./support/each-service.ts";
import { apiKeys } from "./support/service.ts";

const canary = "canary-0123456789-0123456789-0123456789";
const least = { LYCEUM_API_KEY: `lk_${canary}`, API_KEYS: `a:${canary}` };
const full = {
  LYCEUM_EMAIL: "canary@example.com",
  LYCEUM_PASSWORD: canary,
  LYCEUM_ORG_SLUG: "lab",
  LYCEUM_BASE_URL: "https://lyceum.example.com/api",
  API_KEYS: `a:${canary}:admin,b:${canary}2`,
  CALLBACK_SECRETS: `${canary},${canary}2`,
  PUBLIC_URL: "https://proctor.example.com/hooks",
  DATABASE_URL: `postgres://user:${canary}@db.example.com:5432/proctor?password=${canary}`,
  DATABASE_POOL: "7",
  DATABASE_LISTEN_URL: `postgres://user:${canary}@db.example.com:5433/proctor`,
  SETTINGS_REVISION: "12",
  KEY_BUDGETS: "a:50/1d,b:0.5/90m",
  KEY_QUOTAS: "a:500/1d:100,b:5/90m",
  SUBMIT_LIMIT: "12/90s",
  CALLBACK_GRACE: "1500ms",
  DRAIN_DELAY: "0s",
  WEBHOOK_SECRET: `whsec_${Buffer.from(canary).toString("base64")}`,
  WEBHOOK_ALLOW_PRIVATE: "10.0.0.0/8,fd00::/8",
  METRICS_PORT: "9090",
};

function configOf(env: Record<string, string>): Config {
  const read = readConfig(env);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.config;
}

test.each([
  least,
  full,
  { ...least, BACKUP_DIR: "/backups", BACKUP_INTERVAL: "90m", BACKUP_KEEP: "3" },
  { ...least, SUBMIT_LIMIT: "none" },
])("every setting is shown, in words that mean the same when they are read back", (env) => {
  const config = configOf(env);
  const shown = settingsInForce(config);
  expect(shown.map(({ name }) => name).toSorted()).toEqual(settingNames.toSorted());
  const plain = shown.flatMap(({ name, value, redacted }) =>
    redacted || value === null ? [] : [[name, value]],
  );
  const secrets = Object.entries(env).filter(([name]) => shown.find((one) => one.name === name)?.redacted);
  expect(configOf(Object.fromEntries([...plain, ...secrets]))).toEqual(config);
});

test("no setting shows a secret", () => {
  for (const env of [least, full]) {
    const text = JSON.stringify(settingsInForce(configOf(env)));
    expect(text).not.toContain("canary");
    expect(text).not.toContain(Buffer.from(canary).toString("base64").slice(0, 20));
  }
});

eachService("the service", {}, (of) => {
  test("the service tells each caller its name and role", async () => {
    for (const [name, role] of Object.entries({ ann: "submit", reader: "read", admin: "admin" })) {
      const answer = await of()[name as "ann"].get("/v1/whoami");
      expect(answer).toMatchObject({ status: 200, body: { name, role } });
      expect(Object.keys(answer.body)).toEqual(["name", "role"]);
    }
  });

  test("the service shows its settings to administrators alone", async () => {
    expect((await of().ann.get("/v1/settings")).status).toBe(403);
    expect((await of().reader.get("/v1/settings")).status).toBe(403);
    const { body, text } = await of().admin.get("/v1/settings");
    expect(body.data).toContainEqual({ name: "POLL_INTERVAL_MAX", value: "200ms", redacted: false });
    for (const key of Object.values(apiKeys)) expect(text).not.toContain(key);
  });
});
