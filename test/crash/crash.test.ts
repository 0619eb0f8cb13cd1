// The crash program in short, for every change: a few kills, a few drains, and settings that forbid a start.
import { expect, test } from "vitest";
import { drainRepeatedly } from "./drain.ts";
import { killRepeatedly } from "./kills.ts";
import { runToItsEnd } from "./service.ts";
import { runTrial } from "./trial.ts";

const trial = { seed: 1, limit: null, seconds: 90, keep: false, onProgress: () => {} };

test.concurrent("what was acknowledged survives SIGKILL, no run is started twice, and all runs end", async () => {
  const disturb: Parameters<typeof runTrial>[0]["disturb"] = async (scene) => {
    const killed = await killRepeatedly({ ...scene, kills: 5, onKill: () => {} });
    return `${killed} kills`;
  };
  const { isGood, report } = await runTrial({ ...trial, disturb });
  expect(isGood, report).toBe(true);
}, 100_000);

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
