// Chance from a seed: what is submitted and when it is killed can be repeated, the machine's own timing cannot.

export interface Random {
  /** From 0 up to, not including, 1. */
  next(): number;
  between(min: number, max: number): number;
  whole(min: number, max: number): number;
  /** Waits as between events that come independently of each other. */
  exponential(mean: number): number;
  chance(likelihood: number): boolean;
  /** One of the choices, by their weights. */
  pick<T>(choices: readonly (readonly [weight: number, choice: T])[]): T;
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (min: number, max: number) => min + next() * (max - min);
  return {
    next,
    between,
    whole: (min, max) => Math.floor(between(min, max + 1)),
    exponential: (mean) => -mean * Math.log(1 - next()),
    chance: (likelihood) => next() < likelihood,
    pick(choices) {
      let left = next() * choices.reduce((sum, [weight]) => sum + weight, 0);
      for (const [weight, choice] of choices) {
        left -= weight;
        if (left < 0) return choice;
      }
      throw new Error("there is nothing to choose from");
    },
  };
}
