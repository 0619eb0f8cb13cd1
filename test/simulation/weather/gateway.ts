// Gateway pages instead of Lyceum's answers: for starts, and for groups of reads while others are answered.
import type { Answer, Route } from "../call.ts";
import { type MakeWeather, refusingPages, successfulPages, type Weather } from "./weather.ts";

/** Certain that nothing was taken: a refusal, and not Lyceum's own. */
export const startPages: MakeWeather = ({ random }) => {
  const reply = random.pick(refusingPages);
  return {
    stand: ({ route }) => (route === "start" ? { reply, isTaken: false, isOutage: true } : null),
  };
};

/** A success that names no execution: nobody can say whether anything was taken. */
export const successfulStartPages: MakeWeather = ({ random }) => {
  const reply = random.pick(successfulPages);
  const takes = random.pick([0, 0.3, 1]);
  return {
    stand: ({ route }) =>
      route === "start" ? { reply, isTaken: random.chance(takes), isOutage: true } : null,
  };
};

/** Routes that fail together. With only some of them away, what is still answered must not be taken for all there is. */
const GROUPS: Route[][] = [
  ["record"],
  ["record", "status", "selection"],
  ["record", "status", "selection", "list"],
  ["list"],
  ["history"],
  ["timing", "metrics", "logs"],
  ["end"],
  ["record", "status", "selection", "list", "history", "timing", "metrics", "logs", "end"],
];

export const readPages: MakeWeather = ({ random }) =>
  pagesOn(random.pick(GROUPS), random.pick([...refusingPages, ...successfulPages]));

/** The one that looks most like Lyceum's own word. */
export const notFoundPages: MakeWeather = ({ random }) =>
  pagesOn(random.pick(GROUPS), random.pick(refusingPages.filter(({ status }) => status === 404)));

function pagesOn(routes: Route[], reply: Answer): Weather {
  return {
    hides: routes,
    stand: ({ route }) => (routes.includes(route) ? { reply, isTaken: false } : null),
  };
}
