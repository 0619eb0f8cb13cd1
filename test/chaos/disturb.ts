// Every few seconds one thing goes wrong with an instance, its way to the database, its clock, or the database itself.
import { setTimeout as wait } from "node:timers/promises";
import type { Random } from "../crash/random.ts";
import type { Scene } from "../crash/trial.ts";
import { type Fleet, freeze, type Member, type Release, shutdownGraceMs, thaw } from "./fleet.ts";

export type Tally = Record<string, number>;

const skewsMs = [-600_000, -60_000, 0, 0, 60_000, 600_000];
const releases: Release[] = ["present", "next"];
const mostFrozenMs = 40_000;

interface Disturbance {
  name: string;
  share: number;
  /** Resolves once it is over. */
  happen(): Promise<void>;
}

export async function disturbFleet(
  { database, random, until, complain }: Pick<Scene, "database" | "random" | "until" | "complain">,
  fleet: Fleet,
  { seconds, longestFreezeMs = mostFrozenMs }: { seconds: number; longestFreezeMs?: number },
): Promise<Tally> {
  const tally: Tally = {};
  const underWay = new Set<Promise<void>>();
  const busy = new Set<Member>();
  let isDatabaseDown = false;
  const endAt = Math.min(until, performance.now() + seconds * 1_000);

  async function withMember(work: (member: Member) => Promise<void>): Promise<void> {
    const free = fleet.members.filter((member) => !busy.has(member));
    const member = free[random.whole(0, free.length - 1)];
    // Somebody has to be left who goes on with the work.
    if (member === undefined || busy.size >= fleet.members.length - 1) return;
    busy.add(member);
    await work(member).finally(() => busy.delete(member));
  }

  async function restart(member: Member): Promise<void> {
    member.setSkew(pickOne(random, skewsMs));
    if (!(await member.service.start())) complain("an instance does not start any more");
  }

  const disturbances: Disturbance[] = [
    {
      name: "kill -9",
      share: 4,
      happen: () =>
        withMember(async (member) => {
          await member.service.kill();
          await wait(random.between(0, 3_000));
          await restart(member);
        }),
    },
    {
      name: "SIGSTOP",
      share: 4,
      happen: () =>
        withMember(async (member) => {
          freeze(member);
          await wait(random.between(1_000, longestFreezeMs));
          thaw(member);
        }),
    },
    {
      name: "SIGTERM and start of another release",
      share: 3,
      happen: () =>
        withMember(async (member) => {
          const code = await member.service.terminate(shutdownGraceMs + 2_000);
          if (code !== 0) complain(`an instance ended with ${code} after SIGTERM`);
          member.setRelease(pickOne(random, releases));
          await restart(member);
        }),
    },
    ...(["delay", "cut", "silence"] as const).map((name) => ({
      name,
      share: 2,
      happen: () =>
        withMember(async ({ way }) => {
          if (name === "cut") way.cut();
          else if (name === "silence") way.fallSilent();
          else way.setDelay(random.between(5, 200));
          await wait(random.between(1_000, 6_000));
          way.setDelay(0);
          // The kernel's keep-alive would end silent connections some time.
          if (name === "silence") way.cut();
        }),
    })),
    {
      name: "PostgreSQL stopped",
      share: 2,
      async happen() {
        if (isDatabaseDown) return;
        isDatabaseDown = true;
        await database.outage(random).finally(() => {
          isDatabaseDown = false;
        });
      },
    },
  ];

  while (performance.now() < endAt) {
    await wait(random.between(2_000, 5_000));
    const { name, happen } = random.pick(disturbances.map((one) => [one.share, one] as const));
    tally[name] = (tally[name] ?? 0) + 1;
    const over = happen()
      .catch((error: Error) => complain(`${name}: ${error.message}`))
      .finally(() => underWay.delete(over));
    underWay.add(over);
  }
  await Promise.all(underWay);
  return tally;
}

function pickOne<T>(random: Random, from: readonly T[]): T {
  return from[random.whole(0, from.length - 1)] as T;
}
