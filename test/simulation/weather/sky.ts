// Which weathers a seed draws, when each of them begins, and that all of them end when the chaos does.
import type { Agenda } from "../agenda.ts";
import type { Answer, Call, Route } from "../call.ts";
import type { Lyceum } from "../lyceum.ts";
import type { Random } from "../random.ts";
import { envelope, foreignRecord, hollow, oddJson, selectionShapes } from "./documents.ts";
import { notFoundPages, readPages, startPages, successfulStartPages } from "./gateway.ts";
import {
  billsInHistory,
  briefRuns,
  forgottenEnds,
  lateBills,
  lateTails,
  longHistory,
  lostCallbacks,
  oddWords,
} from "./habits.ts";
import { honestLimit, oddHeaders } from "./limits.ts";
import { staleList, unreadableList, wrappedList } from "./lists.ts";
import { oddIds, startsAway, unavailable, unfunded } from "./starts.ts";
import type { MakeWeather, Stand, Weather } from "./weather.ts";

/** In the order in which they act on one answer: what is in it, what is around it, how it is written. */
const kinds: Record<string, MakeWeather> = {
  "pages on starts": startPages,
  "successful pages on starts": successfulStartPages,
  "503 at starts": unavailable,
  "starts away": startsAway,
  "no credits": unfunded,
  "pages on reads": readPages,
  "404 pages": notFoundPages,
  "honest limit": honestLimit,
  "odd headers": oddHeaders,
  "odd ids": oddIds,
  "odd words": oddWords,
  "forgotten ends": forgottenEnds,
  "late tails": lateTails,
  "late bills": lateBills,
  "bills in history": billsInHistory,
  "brief runs": briefRuns,
  "long history": longHistory,
  "lost callbacks": lostCallbacks,
  "stale list": staleList,
  "foreign record": foreignRecord,
  "selection shapes": selectionShapes,
  "hollow documents": hollow,
  "wrapped list": wrappedList,
  "unreadable list": unreadableList,
  envelope,
  "odd JSON": oddJson,
};

export const weatherNames = Object.keys(kinds);

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

export interface Sky {
  /** The weathers of this seed. */
  drawn: string[];
  /** The first weather that takes the call in Lyceum's place. */
  stand(call: Call): (Stand & { name: string }) | null;
  bend(answer: Answer, call: Call): Answer;
  /** Nothing can be learned by this route now. */
  hides(route: Route): boolean;
}

interface SkyOptions {
  random: Random;
  agenda: Agenda;
  lyceum: Lyceum;
  chaosMs: number;
  /** In place of those that the seed draws, and for all of the chaos. */
  wanted: string[] | null;
  trace(line: string): void;
}

export function createSky({ random, agenda, lyceum, chaosMs, wanted, trace }: SkyOptions): Sky {
  const here = new Map<string, Weather>();
  const present = () => weatherNames.flatMap((name) => here.get(name) ?? []);
  const byLot = new Set(
    Array.from({ length: random.pick([0, 0, 1, 1, 2, 3, 5]) }, () => random.pick(weatherNames)),
  );
  const drawn = wanted ?? [...byLot];
  for (const name of drawn) {
    const make = kinds[name];
    if (make === undefined) throw new Error(`No such weather: ${name}`);
    const weather = make({ random: random.fork(), lyceum, now: agenda.monotonic });
    const from = wanted !== null || random.chance(0.3) ? 0 : random.between(0, chaosMs - 30 * SECOND);
    const isLong = wanted !== null || random.chance(0.3);
    const lastsMs = isLong ? chaosMs : random.between(20 * SECOND, 12 * MINUTE);
    agenda.after(from, () => begin(name, weather));
    agenda.after(Math.min(from + lastsMs, chaosMs), () => end(name, weather));
  }

  function begin(name: string, weather: Weather): void {
    trace(`weather   ${name}`);
    weather.begin?.();
    here.set(name, weather);
  }

  function end(name: string, weather: Weather): void {
    trace(`weather   no more ${name}`);
    weather.end?.();
    here.delete(name);
  }

  return {
    drawn,
    hides: (route) => present().some((weather) => weather.hides?.includes(route)),
    stand(call) {
      for (const name of weatherNames) {
        const stand = here.get(name)?.stand?.(call) ?? null;
        if (stand !== null) return { ...stand, name };
      }
      return null;
    },
    bend: (answer, call) => present().reduce((bent, weather) => weather.bend?.(bent, call) ?? bent, answer),
  };
}
