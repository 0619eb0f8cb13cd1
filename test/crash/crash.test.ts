// The crash program in short, for every change: a few kills, a few drains, and settings that forbid a start.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { drainRepeatedly } from "./drain.ts";
import { disturbBoth } from "./kills.ts";
import { createService, freePort, runToItsEnd } from "./service.ts";
import { settings, shutdownGraceMs } from "./settings.ts";
import { runTrial } from "./trial.ts";

const trial = { seed: 1, limit: null, seconds: 90, keep: false, onProgress: () => {} };

test.concurrent.each(["sqlite", "postgres"] as const)(
  "what was acknowledged survives SIGKILL and outages of the database (%s), no run is started twice, and all runs end",
  async (database) => {
    const disturb: Parameters<typeof runTrial>[0]["disturb"] = async (scene) => {
      const { killed, outages } = await disturbBoth(scene, { kills: 5, onKill: () => {} });
      return `${killed} kills, ${outages} outages of the database`;
    };
    const { isGood, report } = await runTrial({ ...trial, database, disturb });
    expect(isGood, report).toBe(true);
  },
  100_000,
);

test.concurrent("SIGTERM under load answers what is under way and ends with 0 within the grace", async () => {
  const { isGood, report } = await runTrial({ ...trial, disturb: (scene) => drainRepeatedly(1, scene) });
  expect(isGood, report).toBe(true);
}, 100_000);

test("settings with problems end the process with 78, all named and no secret shown", async () => {
  const secret = "much-too-short";
  const { code, printed } = await runToItsEnd({
    API_KEYS: `worker:${secret}`,
    CALLBACK_SECRETS: secret,
    DATABASE_URL: `mysql://user:${secret}@host/db`,
    POLL_INTERVAL_MIN: secret,
  });
  expect(code).toBe(78);
  const names = ["LYCEUM_API_KEY", "API_KEYS", "CALLBACK_SECRETS", "DATABASE_URL", "POLL_INTERVAL_MIN"];
  for (const name of names) expect(printed).toContain(`${name}: `);
  expect(printed).not.toContain(secret);
});

test("a second process on the same SQLite file ends with 75 and says which one holds it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "proctor-second-"));
  const databaseUrl = `sqlite:${join(folder, "proctor.db")}`;
  const place = { databaseUrl, lyceumUrl: "http://127.0.0.1:9", limit: null };
  const port = await freePort();
  const first = createService({ env: settings({ ...place, port }), port, log: join(folder, "log") });
  expect(await first.start()).toBe(true);
  const { code, printed } = await runToItsEnd(settings({ ...place, port: await freePort() }));
  expect(code).toBe(75);
  expect(printed).toMatch(
    new RegExp(`Proctor cannot start: DATABASE_URL=${databaseUrl} is in use by process \\d+ on \\S+ since `),
  );
  await first.kill();
  // As after a crash, the file is free again.
  expect(await first.start()).toBe(true);
  expect(await first.terminate(shutdownGraceMs)).toBe(0);
  rmSync(folder, { recursive: true });
});

test("a database that cannot be used ends the process with its name, what to do, and no password", async () => {
  const folder = mkdtempSync(join(tmpdir(), "proctor-unusable-"));
  const database = join(folder, "proctor.db");
  writeFileSync(database, "no database ".repeat(1_000));
  const place = {
    port: await freePort(),
    databaseUrl: `sqlite:${database}`,
    lyceumUrl: "http://127.0.0.1:9",
    limit: null,
  };
  const damaged = await runToItsEnd(settings(place));
  expect(damaged.code).toBe(78);
  expect(damaged.printed).toContain(`DATABASE_URL=sqlite:${database} is damaged, or no SQLite database`);
  const url = `postgres://user:s3cret@127.0.0.1:${await freePort()}/proctor`;
  const away = await runToItsEnd({ ...settings(place), DATABASE_URL: url });
  expect(away.code).toBe(1);
  expect(away.printed).toContain(url.replace("user:s3cret@", ""));
  expect(away.printed).toContain("ECONNREFUSED");
  expect(away.printed).not.toContain("s3cret");
  rmSync(folder, { recursive: true });
});
