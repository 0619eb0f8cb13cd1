// Disturbances from outside: crashes, restarts, outages of Lyceum, jumps of the clock. All of them end
// when the chaos does, so that the rest of the story can be told to its end.
import type { Agenda } from "./agenda.ts";
import type { Host } from "./host.ts";
import type { Judge } from "./judge.ts";
import type { Lyceum } from "./lyceum.ts";
import { type Network, outages } from "./network.ts";
import type { Random } from "./random.ts";
import type { Sky } from "./weather/sky.ts";

interface FateOptions {
  random: Random;
  agenda: Agenda;
  host: Host;
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
  const { random, agenda, host, network, lyceum, sky, judge, chaosMs, trace } = options;
  network.faults = random.pick([0, 0.02, 0.05, 0.1, 0.25]);
  if (random.chance(0.2)) lyceum.habits.hiding = { chance: 0.5, mostMs: 15 * MINUTE };
  trace(`weather   ${network.faults * 100} % of the calls fail, chaos for ${Math.round(chaosMs / SECOND)} s`);

  const sometime = () => random.between(0, chaosMs);
  const crashes = random.pick([0, 1, 2, 4, 8]);
  for (let count = 0; count < crashes; count++) agenda.after(sometime(), crash);
  if (random.chance(0.3)) agenda.after(sometime(), stop);
  const blackouts = random.pick([0, 0, 1, 2]);
  for (let count = 0; count < blackouts; count++) agenda.after(sometime(), blackout);
  const jumps = random.pick([0, 0, 0, 1, 2]);
  for (let count = 0; count < jumps; count++) agenda.after(sometime(), jump);
  agenda.after(chaosMs, calm);
  host.onDown(() => {
    trace("proctor   is dead");
    agenda.after(random.between(0, random.chance(0.2) ? 10 * MINUTE : 20 * SECOND), () => {
      trace("proctor   boots");
      host.boot();
    });
  });

  /** At a random statement, commit or request: sometimes during the recovery from the crash before. */
  function crash(): void {
    if (!host.isUp()) return void agenda.after(SECOND, crash);
    host.cutAfter(random.between(0, 80));
  }

  function stop(): void {
    trace("proctor   is told to stop");
    host.stop();
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
    agenda.jump(ms);
    judge.jumped(ms);
  }

  function calm(): void {
    trace("weather   calm");
    network.faults = 0;
    network.outage = null;
    lyceum.habits.hiding.chance = 0;
  }

  return {
    /** After each step: whether Lyceum could be asked, and would have told. */
    watch() {
      judge.silence(network.outage !== null || host.upSince() === null);
      judge.blindness(sky.hides("record"));
    },
  };
}
