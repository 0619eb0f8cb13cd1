// Limits and what the headers say of them: honestly, or in ways that no clock can mean.
import { own } from "../call.ts";
import { epochSeconds, iso } from "../work.ts";
import type { MakeWeather } from "./weather.ts";

const SECOND = 1_000;

/** A limit on starts that no setting knows of, told in each answer; what is beyond it is refused. */
export const honestLimit: MakeWeather = ({ random, now }) => {
  const max = random.between(2, 6);
  const windowMs = random.between(60, 240) * SECOND;
  let until = Number.NEGATIVE_INFINITY;
  let used = 0;
  const told = () => ({
    left: { starts: max - used, until },
    headers: {
      date: new Date(iso(now())).toUTCString(),
      "x-ratelimit-limit": String(max),
      "x-ratelimit-remaining": String(max - used),
      "x-ratelimit-reset": String(epochSeconds(until)),
    },
  });
  return {
    stand({ route }) {
      if (route !== "start") return null;
      if (now() >= until) {
        until = now() + windowMs;
        used = 0;
      }
      if (used < max) {
        used++;
        return null;
      }
      return { reply: { ...own(429, { detail: "too many" }), ...told() }, isTaken: false };
    },
    bend: (answer, { route }) =>
      route === "start" && answer.status !== 429 ? { ...answer, ...told() } : answer,
  };
};

/** No moment of an honest clock: epoch milliseconds, far futures, dates, limits that let nothing pass, or nothing. */
export const oddHeaders: MakeWeather = ({ random, now }) => {
  const odd = random.pick<() => Record<string, string>>([
    () => ({ "x-ratelimit-reset": String(epochSeconds(now()) * SECOND + 20_000) }),
    () => ({
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": String(epochSeconds(now()) * SECOND + 20_000),
    }),
    () => ({ "x-ratelimit-remaining": "0", "x-ratelimit-reset": "99999999999" }),
    () => ({ "x-ratelimit-remaining": "0", "x-ratelimit-reset": "4102444800" }),
    () => ({ "x-ratelimit-limit": "1e99", "x-ratelimit-remaining": "1e99" }),
    () => ({ "x-ratelimit-limit": "0" }),
    () => ({ "x-ratelimit-limit": "-5", "x-ratelimit-remaining": "-5" }),
    () => ({ "retry-after": "9999999999" }),
    () => ({ "retry-after": String(epochSeconds(now()) + 10) }),
    () => ({ "retry-after": iso(now() + 10 * SECOND) }),
    () => ({ "retry-after": "5", "x-ratelimit-reset": String(epochSeconds(now()) * SECOND) }),
    () => ({ "retry-after": "soon" }),
    () => ({}),
  ]);
  const refuses = random.pick([0, 0.2, 0.5]);
  return {
    stand({ route }) {
      const share = route === "start" ? refuses : refuses / 10;
      if (route === "other" || !random.chance(share)) return null;
      return { reply: { ...own(429, { detail: "slow down" }), headers: odd() }, isTaken: false };
    },
    // Whatever an honest limit has told is not to be seen any more.
    bend: ({ left: _, ...answer }) => ({ ...answer, headers: { ...answer.headers, ...odd() } }),
  };
};
