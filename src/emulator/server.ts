// A local Lyceum: the API as documented, real Python, pretended containers, and switches for everything that can
// go wrong. For tests, development and `npm run emulator`; never reachable from another machine.
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { Hono, type MiddlewareHandler } from "hono";
import { addAccount } from "./account.ts";
import { type Account, createAuth } from "./auth.ts";
import { createCallbacks } from "./callbacks.ts";
import { createChaos } from "./chaos.ts";
import { controlRoutes } from "./control.ts";
import { createEngine } from "./engine.ts";
import { gate, recorder } from "./faults.ts";
import { gateway } from "./gateway.ts";
import { addHistory } from "./history.ts";
import { createLedger, type RecordedCall } from "./ledger.ts";
import { createLimiter } from "./limiter.ts";
import { systemTimers, type Timers } from "./pause.ts";
import { addReads } from "./reads.ts";
import { type ExecutionSnapshot, snapshotOf } from "./snapshot.ts";
import { addStarts } from "./starts.ts";
import type { Changes, Switches } from "./switches.ts";
import { createWork } from "./work.ts";
import { cut, type Env, refuse, type World } from "./world.ts";

export interface EmulatorOptions {
  /** 0, the default, takes a free one. */
  port?: number;
  /** Only a loopback address; `127.0.0.1` by default. */
  host?: "127.0.0.1" | "::1" | "localhost";
  /** Bearer keys that are accepted, each starting `lk_`. Default: `lk_emulator`. */
  apiKeys?: readonly string[];
  /** Who may log in. Default: `emulator@example.test` with the password `emulator`. */
  accounts?: readonly Account[];
  /** Life of an issued token; a day by default. */
  tokenLifeMs?: number;
  /** What draws depend on; the same seed repeats the same behaviour. Default 1. */
  seed?: number;
  /** Switches at the start and after each reset, see `GET /__emulator`. Default: well-behaved and instant. */
  chaos?: Changes;
  /** The interpreter; `python3` by default. A missing one is pretended, and says so. */
  python?: string;
  /** Python processes at once, 2 by default; other Python runs stay pending. */
  pythonAtOnce?: number;
  /** Characters of output kept of one run; a million by default. */
  outputLimit?: number;
  /** Ended executions that are remembered; 100,000 by default, and 256 million characters over all. */
  endedKept?: number;
  /** Wall clock, milliseconds since the epoch. */
  now?: () => number;
  /** Times everything but real Python's time limit; the system's timers by default. */
  timers?: Timers;
  /** Told, in one line, what the emulator refused to do. Silent by default. */
  log?: (line: string) => void;
}

export interface Emulator {
  /** Base URL of the API, `/api/v2/external` included. */
  url: string;
  /** Root of the emulator's own calls: `…/__emulator`. */
  controlUrl: string;
  port: number;
  /** Oldest first. */
  executions(): ExecutionSnapshot[];
  /** Calls to the API, oldest first, the last 10,000. */
  calls(): RecordedCall[];
  /** How many calls each `METHOD route` got since the start or the last reset. */
  callCounts(): Record<string, number>;
  switches(): Switches;
  /** Replaces the named switches and leaves the rest. Throws a ZodError on unknown names and bad values. */
  setChaos(changes: Changes): void;
  /** Kills and forgets all runs and calls, and sets the switches back to the options. Tokens stay good. */
  reset(): Promise<void>;
  /** Kills all runs, cuts all connections. Resolves when the port is free and no process of ours is left. */
  close(): Promise<void>;
}

const prefix = "/api/v2/external";
const loopback: readonly string[] = ["127.0.0.1", "::1", "localhost"];
const localHost = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

/** Starts a local Lyceum. Throws on a host that is not loopback, bad switches, or a port that is taken. */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const { host = "127.0.0.1", now = Date.now, timers = systemTimers, log = () => {} } = options;
  if (!loopback.includes(host))
    throw new Error(`the emulator runs code, so it binds to loopback only, not ${host}`);
  const apiKeys = options.apiKeys ?? ["lk_emulator"];
  const odd = apiKeys.filter((key) => !key.startsWith("lk_"));
  if (odd.length > 0) throw new Error(`${odd.length} API keys do not start with lk_`);

  const chaos = createChaos(options.seed ?? 1, options.chaos ?? {}, now);
  const ledger = createLedger({
    endedKept: options.endedKept ?? 100_000,
    charactersKept: 256_000_000,
    callsKept: 10_000,
  });
  const limiter = createLimiter();
  const callbacks = createCallbacks({ chaos, timers, now, log });
  const python = {
    command: options.python ?? "python3",
    outputLimit: options.outputLimit ?? 1_000_000,
  };
  const work = createWork({ chaos, timers, now, python });
  const engine = createEngine({
    ledger,
    chaos,
    callbacks,
    timers,
    now,
    work,
    pythonAtOnce: options.pythonAtOnce ?? 2,
  });
  const accounts = options.accounts ?? [{ email: "emulator@example.test", password: "emulator" }];
  const tokenLifeMs = options.tokenLifeMs ?? 86_400_000;
  const auth = createAuth({ apiKeys, accounts, tokenLifeMs, chaos, now });

  const control = {
    executions: () => ledger.all().map(snapshotOf),
    calls: () => ledger.calls(),
    callCounts: () => ledger.counts(),
    switches: () => chaos.current(),
    setChaos: (changes: Changes) => chaos.set(changes),
    async reset() {
      await engine.clear();
      chaos.reset();
      limiter.reset();
    },
  };
  const app = new Hono<Env>();
  app.use(localOnly);
  app.route("/__emulator", controlRoutes(control));
  app.route(prefix, api({ auth, callbacks, chaos, engine, ledger, limiter, timers, now }));
  app.notFound((c) => c.json({ detail: "Not Found" }, 404));

  // `hostname` stands in where a request names no host, as HTTP/1.0 may.
  const server = createAdaptorServer({ fetch: app.fetch, hostname: "localhost" }) as Server;
  await listen(server, options.port ?? 0, host);
  const { port } = server.address() as AddressInfo;
  const origin = `http://${host === "::1" ? "[::1]" : host}:${port}`;
  return {
    ...control,
    url: origin + prefix,
    controlUrl: `${origin}/__emulator`,
    port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await engine.clear();
      callbacks.close();
      await closed;
    },
  };
}

/** Loopback keeps other machines out, but not a web page in this one's browser, under a name that leads here. */
const localOnly: MiddlewareHandler<Env> = async (c, next) => {
  const host = c.req.header("host");
  const origin = c.req.header("origin");
  if (host !== undefined && !localHost.test(host)) return refuse(c, 403, "Host is not this machine");
  if (origin !== undefined && !localHost.test(origin.replace(/^https?:\/\//, "")))
    return refuse(c, 403, "Origin is not this machine");
  return next();
};

function api(world: World): Hono<Env> {
  const app = new Hono<Env>();
  app.use(recorder(world, prefix), gateway(world, prefix), gate(world, prefix));
  addStarts(app, world);
  addReads(app, world);
  addAccount(app, world);
  addHistory(app, world);
  app.onError((error, c) => {
    // A caller that went away while its body was read is nobody's bug, and there is nobody to answer.
    if (c.env.incoming.errored !== null) return cut(c);
    throw error;
  });
  return app;
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
