// The machine that the service runs on: boots it, cuts its power, freezes it, stops it in good order, and hands it
// requests.
import type { Dialect } from "kysely";
import { type App, createApp } from "../../src/app.ts";
import type { Config } from "../../src/config.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import type { Agenda } from "./agenda.ts";
import type { HostClock } from "./host-clock.ts";
import type { Network } from "./network.ts";
import { createPower, type Disk, type Freeze, type Power, poweredTimers } from "./power.ts";
import type { Random } from "./random.ts";
import type { WakeUpsOf } from "./wake-ups.ts";

export interface Reply {
  status: number;
  json: Record<string, unknown>;
}

export interface Host {
  /** In the trace. */
  name: string;
  boot(): void;
  /** The power goes at that many effects from now. */
  cutAfter(points: number): void;
  freeze(plan: Freeze): void;
  freezeNoMore(): void;
  /** In good order, as on SIGTERM. */
  stop(): void;
  isUp(): boolean;
  /** The name of its process among those that share the database; null while down. */
  instance(): string | null;
  isFrozen(): boolean;
  /** Its clock is set by that much. */
  jump(ms: number): void;
  /** Monotonic; null while down. */
  upSince(): number | null;
  /** Null when nobody answered: refused, or the process died meanwhile. */
  call: Call;
  /** The process is gone, one way or the other. */
  onDown(listener: (instance: string) => void): void;
  onFreeze(listener: (ms: number) => void): void;
}

export type Call = (
  method: string,
  path: string,
  headers: Record<string, string>,
  body: string,
) => Promise<Reply | null>;

interface HostOptions {
  name: string;
  config: Config;
  agenda: Agenda;
  clock: HostClock;
  network: Network;
  random: Random;
  slowCommits: number;
  openDatabase(power: Power, disk: Disk, instance: string): Dialect;
  wakeUpsOf: WakeUpsOf;
  /** Something that must never happen happened. */
  fail(what: string): void;
}

interface Life {
  instance: string;
  app: App;
  power: Power;
  readyAt: number | null;
}

const STOP_MARGIN_MS = 10_000;
/** Series of numbers that nobody reads here; one set for all lives, they are dear to make. */
const metrics = createMetrics();

export function createHost(options: HostOptions): Host {
  const { name, config, agenda, clock, network, random, slowCommits, openDatabase, wakeUpsOf, fail } =
    options;
  const downListeners: ((instance: string) => void)[] = [];
  const freezeListeners: ((ms: number) => void)[] = [];
  let life: Life | null = null;
  let lives = 0;
  let wasFrozen = false;
  const disk = { random: random.fork(), slowCommits };

  const host: Host = {
    name,
    boot,
    call,
    cutAfter: (points) => life?.power.cutAfter(points),
    freeze: (plan) => life?.power.freeze(plan),
    freezeNoMore: () => life?.power.freezeNoMore(),
    stop() {
      const told = life;
      told?.power.deliver(() => stop(told));
    },
    isUp: () => life !== null,
    instance: () => life?.instance ?? null,
    isFrozen: () => life?.power.isFrozen() ?? false,
    jump: clock.jump,
    upSince: () => life?.readyAt ?? null,
    onDown: (listener) => void downListeners.push(listener),
    onFreeze: (listener) => void freezeListeners.push(listener),
  };

  function told(line: string): void {
    // The database ends the transactions of a host that stands still.
    const isOutage = /"(event|reason)":"database.unavailable"/.test(line);
    // The grace of a stop passed meanwhile: it closed the database on the rest of its work.
    const isClosed = line.includes("The database connection is not open");
    if (!wasFrozen || !(isOutage || isClosed)) fail(`a fault: ${line}`);
  }

  function boot(): void {
    const power = createPower(agenda);
    const log = createLogger("error", { write: (line) => void (power.isOn() && told(line)) });
    const instance = `${name}.${++lives}`;
    const app = createApp(config, {
      clock,
      timers: poweredTimers(power, agenda),
      random: random.fork().next,
      fetch: network.fetchOf(power, host),
      dialect: openDatabase(power, disk, instance),
      instance,
      connectWakeUps: wakeUpsOf(power),
      listens: false,
      log,
      metrics,
    });
    const born: Life = { instance, app, power, readyAt: null };
    life = born;
    power.onFreeze((ms) => {
      wasFrozen = true;
      for (const listener of freezeListeners) listener(ms);
    });
    power.onCut(() => {
      life = null;
      for (const listener of downListeners) listener(instance);
    });
    app.start().then(
      () => {
        born.readyAt = agenda.monotonic();
      },
      (error) => {
        // The process ends, and is started again.
        const isLost = wasFrozen && String(error).includes("connection is lost");
        if (isLost) power.cut();
        else fail(`it does not start: ${error}`);
      },
    );
  }

  function stop(told: Life): void {
    const { app, power, readyAt } = told;
    if (readyAt === null) return;
    // Its port is closed: whoever comes now finds nobody.
    told.readyAt = null;
    let frozenMs = 0;
    power.onFreeze((ms) => {
      frozenMs += ms;
    });
    function expectEnd(withinMs: number): void {
      agenda.after(withinMs, () => {
        if (!power.isOn()) return;
        if (frozenMs === 0) return fail("it does not stop");
        expectEnd(frozenMs);
        frozenMs = 0;
      });
    }
    expectEnd(config.shutdownGraceMs + STOP_MARGIN_MS);
    app.stop().then(power.cut, (error) => fail(`it stops with an error: ${error}`));
  }

  async function call(...[method, path, headers, body]: Parameters<Call>): Promise<Reply | null> {
    const asked = life;
    if (asked === null || asked.readyAt === null) return null;
    const died = Promise.withResolvers<null>();
    asked.power.onCut(() => died.resolve(null));
    const request = new Request(`https://proctor.test${path}`, {
      method,
      headers,
      ...(method === "GET" ? {} : { body }),
    });
    if (asked.power.isFrozen()) await Promise.race([arrival(asked.power), died.promise]);
    if (!asked.power.isOn()) return null;
    const answered = asked.app.handle(request).then(async (response): Promise<Reply | null> => {
      const text = await response.text();
      if (!asked.power.isOn()) return null;
      return { status: response.status, json: text === "" ? {} : JSON.parse(text) };
    });
    return Promise.race([answered, died.promise]);
  }

  return host;
}

const arrival = (power: Power) => new Promise<void>((resolve) => power.deliver(resolve));
