// One life of the real service on the emulator, in virtual time, with answers that are mutated on their way.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApp } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import { type Emulator, startEmulator } from "../../src/emulator/server.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { type Agenda, createAgenda } from "../simulation/agenda.ts";
import { createRandom } from "../simulation/random.ts";
import { freePort } from "../support/service.ts";
import { type Caller, createCaller } from "./caller.ts";
import { isAtRest, judge } from "./judge.ts";
import { createLayer } from "./layer.ts";
import { startProbe } from "./probe.ts";
import { nameOf, type Story } from "./story.ts";

export interface Life {
  failures: Failure[];
  /** Answers that were mutated. */
  mutated: number;
  virtualMs: number;
  probe: { asked: number; longestMs: number };
}

export interface Failure {
  /** The run's place in the story; null for the service as a whole. */
  nth: number | null;
  what: string;
}

const HOUR = 3_600_000;
/** Runs end within minutes; whatever waits for an artifact or pauses gives up within an hour or two. */
const HORIZON_MS = 5 * HOUR;
const STEPS_BETWEEN_LOOKS = 100;
const KEY = "shapes-canary-3e2f1a0b9c8d7e6f5a4b";
/** Files in memory cost no disk writes. */
const MEMORY = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
/** One set for all lives, they are dear to make. */
const metrics = createMetrics();

export async function live(story: Story): Promise<Life> {
  const random = createRandom(story.seed);
  const agenda = createAgenda(random.fork());
  const folder = mkdtempSync(join(MEMORY, "proctor-shapes-"));
  const emulator = await startEmulator({ now: agenda.now, timers: agenda, seed: story.seed });
  const plans = new Map([
    ...story.subjects.map(({ plan }, nth) => [nameOf(nth), plan] as const),
    [null, story.shared] as const,
  ]);
  const layer = createLayer({ agenda, random: random.fork(), baseUrl: emulator.url, plans });
  const failures: Failure[] = [];
  const fail = (nth: number | null, what: string) => {
    const sent = layer.sent(nth === null ? null : nameOf(nth));
    const names = sent.map(({ endpoint, mutation }) => `${endpoint}: ${mutation.name}`);
    failures.push({ nth, what: nth === null ? what : [what, ...names].join("; ") });
  };

  const port = await freePort();
  const database = join(folder, "proctor.db");
  const app = createApp(configFor(story, emulator, database, port), {
    clock: agenda,
    timers: agenda,
    random: random.fork().next,
    fetch: layer.fetch,
    metrics,
    log: createLogger("error", { write: (line) => fail(null, `fault: ${line.slice(0, 2_000)}`) }),
  });
  await whileStepping(agenda, app.start());
  const probe = startProbe(`http://127.0.0.1:${port}`);
  const caller = createCaller(app, KEY);
  await caller.submit(story.subjects);
  for (const [nth, { cancelAfterMs }] of story.subjects.entries()) {
    if (cancelAfterMs !== null) agenda.after(cancelAfterMs, () => void cancel(caller, nth, fail));
  }

  for (let steps = 1; agenda.monotonic() < HORIZON_MS; steps++) {
    await agenda.step();
    if (steps % STEPS_BETWEEN_LOOKS === 0 && isAtRest(database)) break;
  }
  const virtualMs = agenda.monotonic();
  await judge({ story, caller, emulator, database, layer, fail });
  const seen = await probe.stop();
  await whileStepping(agenda, app.stop());
  await emulator.close();
  rmSync(folder, { recursive: true });
  const mutated = [...plans.keys()].reduce((sum, name) => sum + layer.sent(name).length, 0);
  return { failures, mutated, virtualMs, probe: seen };
}

async function cancel(caller: Caller, nth: number, fail: (nth: number, what: string) => void): Promise<void> {
  await caller.cancel(nth).catch((error) => fail(nth, `its cancellation failed: ${error}`));
}

function configFor({ hasCallbacks, logsIn }: Story, emulator: Emulator, database: string, port: number) {
  const credentials = logsIn
    ? { LYCEUM_EMAIL: "emulator@example.test", LYCEUM_PASSWORD: "emulator" }
    : { LYCEUM_API_KEY: "lk_emulator" };
  const result = readConfig({
    ...credentials,
    LYCEUM_BASE_URL: emulator.url,
    API_KEYS: `shapes:${KEY}`,
    CALLBACK_SECRETS: "shapes-callback-secret-that-is-long-enough",
    PUBLIC_URL: hasCallbacks ? `http://127.0.0.1:${port}` : undefined,
    DATABASE_URL: `sqlite:${database}`,
    HOST: "127.0.0.1",
    PORT: String(port),
    SUBMIT_LIMIT: "none",
  });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.config;
}

/** Time goes on until the work is done. */
async function whileStepping(agenda: Agenda, work: Promise<unknown>): Promise<void> {
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  // The last `await` throws the rejection. Until then the rejection must not count as unhandled.
  done.catch(() => {});
  while (!isDone) if (!(await agenda.step())) await new Promise((resolve) => setImmediate(resolve));
  await done;
}
