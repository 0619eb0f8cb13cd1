// Weathers that change Lyceum's habits: odd words, late logs and bills, a history of its own.

import { plainHistory } from "../history.ts";
import type { Habits } from "../lyceum.ts";
import type { Air, MakeWeather, Weather } from "./weather.ts";

function changing({ lyceum: { habits } }: Air, change: Partial<Habits>, back: Partial<Habits>): Weather {
  return { begin: () => void Object.assign(habits, change), end: () => void Object.assign(habits, back) };
}

const switchedOn =
  (
    name:
      | "losesCallbacks"
      | "isBrief"
      | "hasOddWords"
      | "forgetsEnds"
      | "hasLateTails"
      | "hasLateBills"
      | "billsInHistory",
  ): MakeWeather =>
  (air) =>
    changing(air, { [name]: true }, { [name]: false });

export const lostCallbacks = switchedOn("losesCallbacks");
export const briefRuns = switchedOn("isBrief");
export const oddWords = switchedOn("hasOddWords");
export const forgottenEnds = switchedOn("forgetsEnds");
export const lateTails = switchedOn("hasLateTails");
export const lateBills = switchedOn("hasLateBills");
export const billsInHistory = switchedOn("billsInHistory");

export const longHistory: MakeWeather = (air) => {
  const { random } = air;
  const order = random.pick(["newest", "newest", "oldest", "scattered"] as const);
  const history = {
    mostRows: random.pick([20, 50, 1_000]),
    order,
    newer: random.pick([0, 30, 250, 700]),
    newerPerSecond: random.pick([0, 0, 0.5]),
    // Rows that are older than all submissions end a search, where there is an order.
    older: order === "scattered" ? 0 : random.pick([0, 60]),
    unreadableEvery: random.pick([0, 0, 7]),
    hasTotal: random.chance(0.5),
  };
  return changing(air, { history }, { history: plainHistory });
};
