// One trial: emulator, service and load; a disturbance; then quiet until all has ended, and the verdict.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { startEmulator } from "../../src/emulator/server.ts";
import type { ExecutionSnapshot } from "../../src/emulator/snapshot.ts";
import type { Changes } from "../../src/emulator/switches.ts";
import { createApi, type StatusView } from "./api.ts";
import { onPostgres, onSqlite, type TrialDatabase } from "./database.ts";
import { type Evidence, gather } from "./evidence.ts";
import { type Load, startLoad } from "./load.ts";
import { createRandom, type Random } from "./random.ts";
import { createService, freePort, type Service } from "./service.ts";
import { keys, settings, shutdownGraceMs } from "./settings.ts";
import type { StartLimit } from "./starts.ts";
import { tell } from "./story.ts";
import { judge, type Violation } from "./verdict.ts";

export interface TrialOptions {
  seed: number;
  limit: StartLimit | null;
  database?: "sqlite" | "postgres";
  /** After the disturbance everything has to end within this time, beside what a start limit holds back. */
  settleSeconds?: number;
  /** For everything together; what has not ended then is a violation. */
  seconds: number;
  /** Leave the folder with database and log where it is if there are violations. */
  keep: boolean;
  /** Begins and ends with a service that listens. Answers what it did, in a few words. */
  disturb(scene: Scene): Promise<string>;
  onProgress(progress: Progress): void;
  /** So many times the usual submissions. */
  pace?: number;
  /** Faults that replace those of every trial. */
  faults?: Changes;
  /** Settings beside those of every trial. */
  env?: Record<string, string>;
  /** Another way to run the service: as several instances that look like one. */
  launch?(options: { env: Record<string, string>; port: number; log: string }): Service | Promise<Service>;
  /** Looks for more at the end; answers what is wrong. */
  inspect?(evidence: Evidence, database: TrialDatabase): Promise<string[]>;
}

export interface Scene {
  database: TrialDatabase;
  service: Service;
  load: Load;
  random: Random;
  /** By `performance.now()`: the disturbance has to be over then, so that there is time to end. */
  until: number;
  /** For what only the disturbance can see. */
  complain(text: string): void;
}

export interface Progress {
  jobsAcknowledged: number;
  executionsEnded: number;
}

export interface TrialResult {
  isGood: boolean;
  report: string;
}

/** The share of the time in which the runs may end after the disturbance. */
const shareToEnd = 0.4;

export async function runTrial(options: TrialOptions): Promise<TrialResult> {
  const startedAt = performance.now();
  const folder = mkdtempSync(join(tmpdir(), "proctor-crash-"));
  const database =
    options.database === "postgres" ? await onPostgres() : onSqlite(join(folder, "proctor.db"));
  const port = await freePort();
  const emulator = await startEmulator({
    seed: options.seed,
    chaos: { ...paces, ...faults, ...options.faults },
  });
  const place = { port, databaseUrl: database.url, lyceumUrl: emulator.url, limit: options.limit };
  const env = { ...settings(place), ...options.env };
  const launch = options.launch ?? createService;
  const service = await launch({ env, port, log: join(folder, "service.log") });
  const { admin, ...workerKeys } = keys;
  const complaints: string[] = [];
  let settledIn = 0;
  const deadline = startedAt + options.seconds * 1_000;

  async function disturbAndRest(): Promise<{ what: string; evidence: Evidence }> {
    if (!(await service.start())) throw new Error("the service does not start");
    const random = createRandom(options.seed);
    const load = startLoad({
      url: service.url,
      keys: workerKeys,
      random: createRandom(options.seed + 1),
      deadline,
      pace: options.pace ?? 1,
    });
    const progress = setInterval(() => {
      const executionsEnded = emulator.executions().filter(isEndedRun).length;
      options.onProgress({ jobsAcknowledged: load.acknowledged.length, executionsEnded });
    }, 1_000);
    try {
      const until = deadline - shareToEnd * options.seconds * 1_000;
      const complain = (text: string) => void complaints.push(text);
      const what = await options.disturb({ database, service, load, random, until, complain });
      const disturbedAt = performance.now();
      const heldMs = await heldByLimit(service.url, admin, options.limit);
      emulator.setChaos(calm);
      await load.finish();
      complaints.push(...load.complaints);
      if (!(await rest(service.url, admin, deadline)))
        complaints.push(`not everything had ended after ${options.seconds} s`);
      settledIn = Math.max(0, performance.now() - disturbedAt - heldMs) / 1_000;
      if (settledIn > (options.settleSeconds ?? Number.POSITIVE_INFINITY))
        complaints.push(`everything had ended only ${settledIn.toFixed(0)} s after the last fault`);
      const { acknowledged } = load;
      const lyceum = emulator.executions();
      const evidence = await gather({ url: service.url, keys, database, acknowledged, lyceum });
      complaints.push(...((await options.inspect?.(evidence, database)) ?? []));
      return { what, evidence };
    } finally {
      clearInterval(progress);
      void load.finish();
    }
  }

  const { what, evidence } = await disturbAndRest().catch((error: Error) => {
    complaints.push(`the trial broke off: ${error.message}`);
    return { what: "broken off", evidence: null };
  });
  await service.terminate(shutdownGraceMs);
  await emulator.close();
  await database.close();
  const violations: Violation[] = [
    ...[...service.complaints, ...complaints].map((text) => ({ about: null, text })),
    ...(evidence === null ? [] : judge(evidence, options.limit)),
  ];
  const isGood = violations.length === 0;
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
  const summary = [
    what,
    ...(evidence === null ? [] : figures(evidence)),
    `settled in ${settledIn.toFixed(0)} s`,
    `${seconds} s`,
  ].join("; ");
  if (isGood || !options.keep) rmSync(folder, { recursive: true, force: true });
  const kept = options.keep ? `\nDatabase and log are kept in ${folder}` : "";
  return { isGood, report: isGood ? summary : `${summary}\n${tell(violations, evidence)}${kept}` };
}

/** A GPU selection's sub-jobs are executions of Lyceum's own. */
function isEndedRun({ isTerminal, parentId }: ExecutionSnapshot): boolean {
  return isTerminal && parentId === null;
}

/** The time for which the start limit alone holds what waits now. */
async function heldByLimit(url: string, adminKey: string, limit: StartLimit | null): Promise<number> {
  if (limit === null) return 0;
  const { queue } = await createApi(url, adminKey).get<StatusView>("/v1/status");
  return Math.floor(queue.depth / limit.max) * limit.windowMs;
}

async function rest(url: string, adminKey: string, deadline: number): Promise<boolean> {
  const api = createApi(url, adminKey);
  while (performance.now() < deadline) {
    // Several instances may be away for a moment yet.
    const status = await api.get<StatusView>("/v1/status").catch(() => null);
    if (status !== null) {
      const { depth, live, collecting } = status.queue;
      if (depth + live + collecting + status.callbacks.in_inbox === 0) return true;
    }
    await wait(300);
  }
  return false;
}

function figures({ acknowledged, runs, lyceum, callbacks, events, artifacts }: Evidence): string[] {
  const count = (status: string) => runs.filter((run) => run.status === status).length;
  const executions = runs.flatMap((run) => run.executions);
  const lost = executions.filter(({ status }) => status === "lost").length;
  const foundBy = (means: string) => executions.filter(({ detected_by }) => detected_by === means).length;
  const kept = [...callbacks.values()].reduce((sum, one) => sum + one, 0);
  const unavailable = artifacts.filter((artifact) => artifact.state === "unavailable").length;
  return [
    `${acknowledged.length} jobs acknowledged`,
    `${runs.length} runs ended (${count("succeeded")} succeeded, ${count("failed")} failed, ${count("cancelled")} cancelled)`,
    `${lyceum.length} starts at Lyceum, ${lost} that never reached it`,
    `${foundBy("callback")} ends found by callback, ${foundBy("poll")} by polling`,
    `${kept} callbacks, ${events.length} events, ${artifacts.length} artifacts (${unavailable} unavailable)`,
  ];
}

const paces: Changes = {
  pending: 40,
  starting: 20,
  finishing: 30,
  lag: 50,
  stall: 400,
  lateness: 1_200,
  log_lag: 500,
  retry_in: 300,
  body: "any",
  // Far more starts than Lyceum grants in an hour make a history of thousands of rows, which 100 calls cannot read.
  billing_limit: { calls: 100_000, window: 3_600_000 },
};

const faults: Changes = {
  answer: { lost: 0.05, stall: 0.1, "500": 0.03, "502": 0.03, unreadable: 0.02 },
  callback: { lost: 0.15, double: 0.15, eager: 0.08, early: 0.1, late: 0.15 },
  logs: { late: 0.1, double: 0.1 },
  throttle: { starts: 0.01, others: 0.005 },
  read: { "500": 0.02, "502": 0.02, "503": 0.01, reset: 0.02, html: 0.01 },
  unauthorized: 0.003,
};

const calm: Changes = { answer: {}, callback: {}, throttle: {}, read: {}, unauthorized: 0 };
