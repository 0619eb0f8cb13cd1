// A local Lyceum: the documented API, real Python, simulated containers, switches for failures. On loopback only.
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
  /** Default 0: a free port. */
  port?: number;
  /** A loopback address; default `127.0.0.1`. */
  host?: "127.0.0.1" | "::1" | "localhost";
  /** Accepted bearer keys, each starting with `lk_`; default `lk_emulator`. */
  apiKeys?: readonly string[];
  /** Accepted logins; default `emulator@example.test` with the password `emulator`. */
  accounts?: readonly Account[];
  /** Lifetime of an issued token; default a day. */
  tokenLifeMs?: number;
  /** Seed of random decisions: the same seed repeats the same behaviour; default 1. */
  seed?: number;
  /** Switches at the start and after each reset, see `GET /__emulator`. Default: no faults, no delays. */
  chaos?: Changes;
  /** The Python interpreter; default `python3`. Without it, Python is simulated and says so. */
  python?: string;
  /** Maximum number of Python processes; default 2. Other Python runs stay pending. */
  pythonAtOnce?: number;
  /** Characters of output kept per run; default a million. */
  outputLimit?: number;
  /** Ended executions that are kept; default 100,000, with 256 million characters in total. */
  endedKept?: number;
  /** Wall clock, milliseconds since the epoch. */
  now?: () => number;
  /** Timers for everything except the time limit of real Python; default the system's timers. */
  timers?: Timers;
  /** Receives one line per refused action; default none. */
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
  /** Number of calls per `METHOD route` since the start or the last reset. */
  callCounts(): Record<string, number>;
  switches(): Switches;
  /** Changes the named switches. Throws a ZodError on unknown names and invalid values. */
  setChaos(changes: Changes): void;
  /** Kills and forgets all runs and calls, and resets the switches to the options. Tokens stay valid. */
  reset(): Promise<void>;
  /** Kills all runs and cuts all connections. Resolves when the port is free and no process is left. */
  close(): Promise<void>;
}

const prefix = "/api/v2/external";
const loopback: readonly string[] = ["127.0.0.1", "::1", "localhost"];
const localHost = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

/** Throws if the host is not loopback, a switch is invalid, or the port is taken. */
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

  // `hostname` is used for HTTP/1.0 requests without a Host header.
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

/** Loopback keeps other machines out, but a web page in a local browser could reach it by DNS rebinding. */
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
    // A caller that disconnected while sending its body is no bug, and cannot be answered.
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
