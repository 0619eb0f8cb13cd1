// The whole service in one process: the real app against the real emulator over HTTP on loopback, a database file in a
// folder of its own, the log kept in memory, and a client for each role.
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import SqliteDatabase from "better-sqlite3";
import type { AppOverrides } from "../../src/app/context.ts";
import { createApp } from "../../src/app.ts";
import { type Config, readConfig } from "../../src/config.ts";
import { type Emulator, type EmulatorOptions, startEmulator } from "../../src/emulator/server.ts";
import type { Changes } from "../../src/emulator/switches.ts";
import type { viewJob, viewRun } from "../../src/http/views/view.ts";
import { systemTimers, type Timers } from "../../src/lib/clock.ts";
import { createHttpTransport } from "../../src/lyceum/http-transport.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { client, type Json } from "../http/client.ts";

export type { Answer, Json } from "../http/client.ts";

import { until } from "./wait.ts";

export type JobView = ReturnType<typeof viewJob>;
export type RunView = ReturnType<typeof viewRun>;
/** Two submitters, one reader, one administrator. */
export const apiKeys = {
  ann: "ann-canary-5f1c9a0b7d3e4826a1c0f9e8",
  bob: "bob-canary-0d9e8f7a6b5c4d3e2f1a0b9c",
  reader: "reader-canary-7a6b5c4d3e2f1a0b9c8d",
  admin: "admin-canary-3e2f1a0b9c8d7e6f5a4b3c",
};
export const callbackSecret = "callback-canary-6b5c4d3e2f1a0b9c8d7e6f5a";
export const lyceumKey = "lk_canary_9c8d7e6f5a4b3c2d1e0f";

export interface ServiceOptions {
  /** Over the defaults below; undefined takes one away. */
  settings?: Record<string, string | undefined>;
  /** The path of PUBLIC_URL. */
  publicPath?: string;
  chaos?: Changes;
  emulator?: Partial<EmulatorOptions>;
  surroundings?: AppOverrides;
}

export type Service = Awaited<ReturnType<typeof startService>>;

/** Starts both; `await using` stops and removes everything. */
export async function startService(options: ServiceOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), "proctor-story-"));
  const emulator = await startEmulator({
    apiKeys: [lyceumKey],
    ...options.emulator,
    ...(options.chaos === undefined ? {} : { chaos: options.chaos }),
  });
  const database = join(folder, "proctor.db");
  const nobody = await freePort();
  const logLines: string[] = [];
  const answers: string[] = [];
  const network = { lyceumIsUp: true };
  const sent: string[] = [];

  async function begin(port: number, settings: Record<string, string | undefined> = {}) {
    const config = configFor(
      { emulator, database, port, publicPath: options.publicPath ?? "" },
      { ...options.settings, ...settings },
    );
    const life: Life = { isOver: false, burial: new AbortController() };
    const wire = createHttpTransport();
    const app = createApp(config, {
      // Little jitter: pauses stay near their least.
      random: () => Math.random() / 10,
      logSpacingMs: 50,
      log: createLogger("debug", { write: (line) => void logLines.push(line) }),
      ...options.surroundings,
      timers: mortal(options.surroundings?.timers ?? systemTimers, life),
      fetch: (input, init) => {
        if (life.isOver) return silence(life);
        if (init.body !== undefined) sent.push(init.body);
        const url = network.lyceumIsUp ? input : `http://127.0.0.1:${nobody}/`;
        return wire(url, init).then((answer) => (life.isOver ? silence(life) : answer));
      },
    });
    await app.start();
    let stopped: Promise<void> | null = null;
    const stop = () => {
      stopped ??= app.stop();
      return stopped;
    };
    return { stop, life, port, handle: app.handle, url: `http://127.0.0.1:${port}` };
  }

  let current = await begin(await freePort());
  const abandoned: (typeof current)[] = [];
  const clientOf = (key: string | null) => client(() => current.url, key, answers);
  const ann = clientOf(apiKeys.ann);

  async function close(): Promise<void> {
    await current.stop();
    for (const { stop, life } of abandoned) {
      life.isOver = false;
      life.burial.abort();
      await stop();
    }
    await emulator.close();
    rmSync(folder, { recursive: true, force: true });
  }

  async function submit(body: object): Promise<JobView> {
    const answer = await ann.post("/v1/jobs", body);
    if (answer.status !== 202) throw new Error(`the job was answered ${answer.status}: ${answer.text}`);
    return answer.body;
  }

  const runsOf = async (jobId: string): Promise<RunView[]> =>
    (await ann.get(`/v1/jobs/${jobId}/runs?limit=1000`)).body.data;

  /** The runs of the job, once it is terminal. */
  async function ended(jobId: string): Promise<RunView[]> {
    await until(
      `the end of ${jobId}`,
      async () => (await ann.get(`/v1/jobs/${jobId}`)).body.ended_at !== null,
    );
    return runsOf(jobId);
  }

  return {
    emulator,
    network,
    /** Past the listeners. */
    handle: (request: Request) => current.handle(request),
    /** Bodies of what was sent to Lyceum, as they left. */
    sentBodies: () => sent,
    ann,
    bob: clientOf(apiKeys.bob),
    reader: clientOf(apiKeys.reader),
    admin: clientOf(apiKeys.admin),
    nobody: clientOf(null),
    url: () => current.url,
    /** The SQLite file, unless the settings name another database. */
    database,
    /** Every line of the log so far, and every answer that a client got: headers and body. */
    logLines,
    answers,
    submit,
    runsOf,
    ended,
    /** A job of this one run, to its end. */
    async run(spec: object, job: object = {}): Promise<RunView> {
      const [run] = await ended((await submit({ runs: [spec], ...job })).id);
      if (run === undefined) throw new Error("a job without runs");
      return run;
    },
    /** The only run of a job, once it is as wanted. */
    soleRun: (jobId: string, isWanted: (run: RunView) => boolean): Promise<RunView> =>
      until("the run's state", async () => (await runsOf(jobId)).find(isWanted)),
    /** The run at a position of its job, once it is as wanted. */
    runAt: (jobId: string, position: number, isWanted: (run: RunView) => boolean): Promise<RunView> =>
      until("the run's state", async () => {
        const run = (await runsOf(jobId))[position];
        return run !== undefined && isWanted(run) && run;
      }),
    status: async () => (await ann.get("/v1/status")).body,
    starts: () => emulator.calls().filter((call) => call.method === "POST" && call.route.endsWith("/start")),
    rows(sql: string, ...values: unknown[]): Json[] {
      const reader = new SqliteDatabase(database, { readonly: true });
      try {
        return reader.prepare(sql).all(...values);
      } finally {
        reader.close();
      }
    },
    stop: () => current.stop(),
    /** Stops in good order and starts anew on the same database, where callbacks still find it. */
    async restart(settings: Record<string, string> = {}) {
      await current.stop();
      current = await begin(current.port, settings);
    },
    /** As after a crash: nothing of the former process happens any more, and a new one finds its database. */
    async crash() {
      current.life.isOver = true;
      abandoned.push(current);
      current = await begin(await freePort());
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** An image run, which the emulator pretends; its switches are written as the emulator's directives. */
export function image(switches = "", more: object = {}) {
  const docker_run_cmd = ["true", ...(switches === "" ? [] : [`# emulator: ${switches}`])];
  return { kind: "image", docker_image_ref: "busybox", docker_run_cmd, ...more };
}

export { until };

export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

interface Place {
  emulator: Emulator;
  database: string;
  port: number;
  publicPath: string;
}

function configFor(
  { emulator, database, port, publicPath }: Place,
  settings: Record<string, string | undefined>,
): Config {
  const result = readConfig({
    LYCEUM_BASE_URL: emulator.url,
    LYCEUM_API_KEY: lyceumKey,
    API_KEYS: `ann:${apiKeys.ann},bob:${apiKeys.bob},reader:${apiKeys.reader}:read,admin:${apiKeys.admin}:admin`,
    CALLBACK_SECRETS: callbackSecret,
    PUBLIC_URL: `http://127.0.0.1:${port}${publicPath}`,
    DATABASE_URL: `sqlite:${database}`,
    HOST: "127.0.0.1",
    PORT: String(port),
    SUBMIT_LIMIT: "none",
    CALLBACK_GRACE: "500ms",
    POLL_INTERVAL_MIN: "50ms",
    POLL_INTERVAL_MAX: "200ms",
    DRAIN_DELAY: "0s",
    SHUTDOWN_GRACE: "10s",
    ...settings,
  });
  if (!result.ok) throw new Error(`the test's settings are wrong: ${JSON.stringify(result.problems)}`);
  return result.config;
}

/** The life of one process: after its end no timer fires and no answer arrives, until the test is over. */
interface Life {
  isOver: boolean;
  burial: AbortController;
}

function mortal(timers: Timers, life: Life): Timers {
  return { after: (ms, fn) => timers.after(ms, () => life.isOver || fn()) };
}

function silence({ burial }: Life): Promise<never> {
  return new Promise((_, reject) => {
    burial.signal.addEventListener("abort", () => reject(new Error("buried")), { once: true });
  });
}
