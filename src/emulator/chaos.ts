// The switches, and random decisions by them. The same seed repeats the same behaviour, whatever other effects do.
import type { Execution } from "./execution.ts";
import type { Chance } from "./switches/values.ts";
import { type Changes, changesSchema, defaults, type Switches } from "./switches.ts";

export interface Chaos {
  current(): Switches;
  /** Its directive replaces current switches. */
  of(execution: Execution): Switches;
  /** Throws a ZodError on unknown names and invalid values. */
  set(changes: Changes): void;
  reset(): void;
  /** Counts down `{ next: n }`. @param effect begins with the name of its switch */
  happens(effect: string, chance: Chance | undefined): boolean;
  /** The same answer each time for a run. */
  has(trait: string, likelihood: number | undefined, execution: Execution): boolean;
  /** The same choice each time for a run. */
  pick<T>(what: string, choices: readonly T[], execution: Execution): T;
}

export function createChaos(seed: number, initial: Changes, now: () => number): Chaos {
  // Parse again each time, because `{ next: n }` is counted down in place.
  const start = (): Switches => ({ ...defaults, ...changesSchema.parse(initial) });
  let switches = start();
  const occasions = new Map<string, number>();
  let startedAt = now();
  const setAt = new Map<string, number>();

  return {
    current: () => switches,
    of: (execution) =>
      execution.start.changes === undefined ? switches : { ...switches, ...execution.start.changes },
    set(changes) {
      switches = { ...switches, ...changesSchema.parse(changes) };
      for (const name of Object.keys(changes)) setAt.set(name, now());
    },
    reset() {
      switches = start();
      occasions.clear();
      startedAt = now();
      setAt.clear();
    },
    happens(effect, chance) {
      if (chance === undefined || chance === 0) return false;
      if (typeof chance === "object" && "for" in chance) {
        const [name = ""] = effect.split(".");
        return now() < (setAt.get(name) ?? startedAt) + chance.for;
      }
      if (typeof chance === "object") {
        if (chance.next === 0) return false;
        chance.next -= 1;
        return true;
      }
      if (chance === 1) return true;
      const nth = (occasions.get(effect) ?? 0) + 1;
      occasions.set(effect, nth);
      return draw(seed, effect, nth) < chance;
    },
    has: (trait, likelihood, execution) =>
      likelihood !== undefined && draw(seed, trait, execution.number) < likelihood,
    pick: (what, choices, execution) =>
      choices[Math.floor(draw(seed, what, execution.number) * choices.length)] as (typeof choices)[number],
  };
}

/** In [0, 1); depends only on the arguments. */
export function draw(seed: number, name: string, nth: number): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ nth, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 16), 0x21f0aaad);
  hash = Math.imul(hash ^ (hash >>> 15), 0x735a2d97);
  return ((hash ^ (hash >>> 15)) >>> 0) / 2 ** 32;
}
