// Disturbances from outside: crashes, restarts, outages of Lyceum, jumps of the clock. All of them end
// when the chaos does, so that the rest of the story can be told to its end.
import type { Agenda } from "./agenda.ts";
import type { Fleet } from "./fleet.ts";
import type { Host } from "./host.ts";
import type { Judge } from "./judge.ts";
import type { Lyceum } from "./lyceum.ts";
import { type Network, outages } from "./network.ts";
import type { Random } from "./random.ts";
import type { Sky } from "./weather/sky.ts";

interface FateOptions {
  random: Random;
  /** A source of its own for what was added later: the other draws of a seed stay as they were. */
  startFreezes: Random;
  agenda: Agenda;
  fleet: Fleet;
  network: Network;
  lyceum: Lyceum;
  sky: Sky;
  judge: Judge;
  chaosMs: number;
  trace(line: string): void;
}

const SECOND = 1_000;
const MINUTE = 60_000;

export function createFate(options: FateOptions): { watch(): void } {
  const { random, startFreezes, agenda, fleet, network, lyceum, sky, judge, chaosMs, trace } = options;
  network.faults = random.pick([0, 0.02, 0.05, 0.1, 0.25]);
  if (random.chance(0.2)) lyceum.habits.hiding = { chance: 0.5, mostMs: 15 * MINUTE };
  trace(`weather   ${network.faults * 100} % of the calls fail, chaos for ${Math.round(chaosMs / SECOND)} s`);

  const sometime = () => random.between(0, chaosMs);
  for (const host of fleet.hosts) {
    const crashes = random.pick([0, 1, 2, 4, 8]);
    for (let count = 0; count < crashes; count++) agenda.after(sometime(), () => crash(host));
    if (random.chance(0.3)) agenda.after(sometime(), () => stop(host));
    host.onDown(() => {
      trace(`${host.name.padEnd(9)} is dead`);
      agenda.after(random.between(0, random.chance(0.2) ? 10 * MINUTE : 20 * SECOND), () => {
        trace(`${host.name.padEnd(9)} boots`);
        host.boot();
      });
    });
    if (fleet.hosts.length > 1) freezes(host);
  }
  const blackouts = random.pick([0, 0, 1, 2]);
  for (let count = 0; count < blackouts; count++) agenda.after(sometime(), blackout);
  const jumps = random.pick([0, 0, 0, 1, 2]);
  for (let count = 0; count < jumps; count++) agenda.after(sometime(), jump);
  agenda.after(chaosMs, calm);

  /** At a random statement, commit or request: sometimes during the recovery from the crash before. */
  function crash(host: Host): void {
    if (!host.isUp()) return void agenda.after(SECOND, () => crash(host));
    host.cutAfter(random.between(0, 80));
  }

  function stop(host: Host): void {
    trace(`${host.name.padEnd(9)} is told to stop`);
    host.stop();
  }

  /** Shorter and longer than the others wait until they take its work over. */
  function freezes(host: Host): void {
    const count = random.pick([0, 1, 2, 4, 8]);
    for (let nth = 0; nth < count; nth++) {
      const ms = random.chance(0.7) ? random.between(1, 40) * SECOND : random.between(1, 6) * MINUTE;
      const points = random.chance(0.4) ? "claim" : random.between(0, 80);
      agenda.after(sometime(), () => host.freeze({ ms, points }));
    }
    for (let nth = startFreezes.pick([0, 0, 1, 2]); nth > 0; nth--) {
      const ms = startFreezes.between(1, startFreezes.pick([40, 360])) * SECOND;
      const points = startFreezes.pick(["connecting", "leaving"] as const);
      agenda.after(startFreezes.between(0, chaosMs), () => host.freeze({ ms, points }));
    }
    host.onFreeze((ms) => trace(`${host.name.padEnd(9)} stands still for ${ms / SECOND} s`));
  }

  function blackout(): void {
    network.outage = random.pick(outages);
    trace(`lyceum    is away (${network.outage})`);
    agenda.after(random.between(20 * SECOND, 12 * MINUTE), () => {
      if (network.outage !== null) trace("lyceum    is back");
      network.outage = null;
    });
  }

  function jump(): void {
    const ms = random.pick([-1, 1]) * random.between(SECOND, random.pick([MINUTE, 60 * MINUTE]));
    trace(`clock     jumps by ${Math.round(ms / SECOND)} s`);
    if (fleet.hosts.length > 1) {
      // They follow the database's clock, so that theirs are no excuse.
      random.pick(fleet.hosts).jump(ms);
      return;
    }
    agenda.jump(ms);
    judge.jumped(ms);
  }

  function calm(): void {
    trace("weather   calm");
    network.faults = 0;
    network.outage = null;
    lyceum.habits.hiding.chance = 0;
    for (const host of fleet.hosts) host.freezeNoMore();
  }

  return {
    /** After each step: whether Lyceum could be asked, and would have told. */
    watch() {
      judge.silence(network.outage !== null || !fleet.isAnyAwake());
      judge.blindness(sky.hides("record"));
    },
  };
}
