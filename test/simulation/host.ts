// The machine that the service runs on: boots it, cuts its power, stops it in good order, and hands it requests.
import { type App, createApp } from "../../src/app.ts";
import type { Config } from "../../src/config.ts";
import { openDialect } from "../../src/store/db/dialect.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import type { Agenda } from "./agenda.ts";
import type { Network } from "./network.ts";
import { createPower, type Power, poweredDialect, poweredTimers } from "./power.ts";
import type { Random } from "./random.ts";

export interface Reply {
  status: number;
  json: Record<string, unknown>;
}

export interface Host {
  boot(): void;
  /** The power goes at that many effects from now. */
  cutAfter(points: number): void;
  /** In good order, as on SIGTERM. */
  stop(): void;
  isUp(): boolean;
  /** Monotonic; null while down. */
  upSince(): number | null;
  /** Null when nobody answered: refused, or the process died meanwhile. */
  call(method: string, path: string, headers: Record<string, string>, body: string): Promise<Reply | null>;
  /** The process is gone, one way or the other. */
  onDown(listener: () => void): void;
}

interface HostOptions {
  config: Config;
  agenda: Agenda;
  network: Network;
  random: Random;
  slowCommits: number;
  /** Something that must never happen happened. */
  fail(what: string): void;
}

interface Life {
  app: App;
  power: Power;
  readyAt: number | null;
}

const STOP_MARGIN_MS = 10_000;
/** Series of numbers that nobody reads here; one set for all lives, they are dear to make. */
const metrics = createMetrics();

export function createHost({ config, agenda, network, random, slowCommits, fail }: HostOptions): Host {
  const downListeners: (() => void)[] = [];
  let life: Life | null = null;
  const disk = { random: random.fork(), slowCommits };

  function boot(): void {
    const power = createPower(agenda);
    const log = createLogger("error", { write: (line) => void (power.isOn() && fail(`a fault: ${line}`)) });
    const app = createApp(config, {
      clock: agenda,
      timers: poweredTimers(power, agenda),
      random: random.fork().next,
      fetch: network.fetchOf(power),
      dialect: poweredDialect(openDialect(config.database), power, agenda, disk),
      listens: false,
      log,
      metrics,
    });
    const born: Life = { app, power, readyAt: null };
    life = born;
    power.onCut(() => {
      life = null;
      for (const listener of downListeners) listener();
    });
    app.start().then(
      () => {
        born.readyAt = agenda.monotonic();
      },
      (error) => fail(`it does not start: ${error}`),
    );
  }

  async function call(method: string, path: string, headers: Record<string, string>, body: string) {
    const asked = life;
    if (asked === null || asked.readyAt === null) return null;
    const died = Promise.withResolvers<null>();
    asked.power.onCut(() => died.resolve(null));
    const request = new Request(`https://proctor.test${path}`, {
      method,
      headers,
      ...(method === "GET" ? {} : { body }),
    });
    const answered = asked.app.handle(request).then(async (response): Promise<Reply | null> => {
      const text = await response.text();
      if (!asked.power.isOn()) return null;
      return { status: response.status, json: text === "" ? {} : JSON.parse(text) };
    });
    return Promise.race([answered, died.promise]);
  }

  return {
    boot,
    call,
    cutAfter: (points) => life?.power.cutAfter(points),
    stop() {
      if (life === null || life.readyAt === null) return;
      const { app, power } = life;
      // Its port is closed: whoever comes now finds nobody.
      life.readyAt = null;
      agenda.after(config.shutdownGraceMs + STOP_MARGIN_MS, () => power.isOn() && fail("it does not stop"));
      app.stop().then(power.cut, (error) => fail(`it stops with an error: ${error}`));
    },
    isUp: () => life !== null,
    upSince: () => life?.readyAt ?? null,
    onDown: (listener) => void downListeners.push(listener),
  };
}
