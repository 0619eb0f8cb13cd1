// SIGKILL at moments that hurt: at random under load, right after a burst of submissions, while the process
// starts, and while it looks at what its predecessor left.
import { setTimeout as wait } from "node:timers/promises";
import { disturbDatabase } from "./database.ts";
import type { Load } from "./load.ts";
import { createRandom, type Random } from "./random.ts";
import type { Service } from "./service.ts";
import type { Scene } from "./trial.ts";

export interface KillOptions {
  service: Service;
  load: Load;
  random: Random;
  kills: number;
  /** No kill after this, by `performance.now()`. */
  until: number;
  onKill(kills: number): void;
}

/** Kills, and beside them outages of the database. */
export async function disturbBoth(
  { database, ...scene }: Scene,
  { kills, onKill }: Pick<KillOptions, "kills" | "onKill">,
): Promise<{ killed: number; outages: number }> {
  let isOver = false;
  const disturbing = disturbDatabase(database, createRandom(kills + 1), () => isOver);
  const killed = await killRepeatedly({ ...scene, kills, onKill }).finally(() => {
    isOver = true;
  });
  return { killed, outages: await disturbing };
}

/** Begins with a service that listens and ends with one; answers how often it was killed. */
async function killRepeatedly(options: KillOptions): Promise<number> {
  const { service, load, random, kills, until, onKill } = options;
  let startupMs = 1_000;
  let listens: Promise<boolean> = Promise.resolve(true);

  async function restart(): Promise<boolean> {
    const startedAt = performance.now();
    const isUp = await service.start();
    if (isUp) startupMs = performance.now() - startedAt;
    return isUp;
  }

  const moments = {
    underLoad: async () => {
      await listens;
      await wait(Math.min(random.exponential(1_000), 5_000));
    },
    afterBurst: async () => {
      await listens;
      load.burst(random.whole(2, 8));
      await wait(random.between(0, 60));
    },
    atStart: () => wait(random.between(0, startupMs)),
    inRecovery: async () => {
      await listens;
      await wait(random.between(0, 150));
    },
  };

  let killed = 0;
  while (killed < kills && performance.now() < until) {
    await moments[random.pick(shares)]();
    await service.kill();
    onKill(++killed);
    listens = restart();
  }
  if (!(await listens)) throw new Error("the service does not start any more");
  return killed;
}

const shares = [
  [50, "underLoad"],
  [20, "afterBurst"],
  [15, "atStart"],
  [15, "inRecovery"],
] as const;
