// A document that Lyceum has is given up only after definite answers without it, or after minutes without any answer.

import type { Answer, Route } from "../call.ts";
import { demand } from "../invariants.ts";
import type { Heard } from "../network.ts";
import { MAX_PAUSE_MS, pauseOf } from "./pauses.ts";

const MINUTE = 60_000;
/** Definite answers after which a document may be given up. */
const ENOUGH = 3;
/** Silence of one endpoint that is long enough, with some tries less than it. */
const SILENCE_MS = 4 * MINUTE;

interface Asked {
  definite: number;
  firstAt: number;
  lastAt: number;
}

export function createDocuments(now: () => number) {
  const asked = new Map<string, Asked>();
  /** Lyceum forbade all reads for as long as documents are asked for. */
  let wasForbidden = false;

  return {
    heard({ call, answer }: Heard): void {
      if (answer !== null && pauseOf(answer) >= MAX_PAUSE_MS) wasForbidden = true;
      const kind = kinds[call.route];
      if (kind === undefined) return;
      const key = `${call.id} ${kind}`;
      const { definite, firstAt } = asked.get(key) ?? { definite: 0, firstAt: now() };
      asked.set(key, { definite: definite + (isDefinite(answer) ? 1 : 0), firstAt, lastAt: now() });
    },
    /** Lyceum has it, and the service has given it up. */
    compareGivenUp(id: string, kind: string): void {
      const { definite, firstAt, lastAt } = asked.get(`${id} ${kind}`) ?? {
        definite: 0,
        firstAt: 0,
        lastAt: 0,
      };
      const isRight = wasForbidden || definite >= ENOUGH || lastAt - firstAt >= SILENCE_MS;
      demand(isRight, () => `the ${kind} of ${id} is given up after ${definite} definite answers`);
    },
  };
}

const kinds: Partial<Record<Route, string>> = {
  record: "record",
  timing: "timing",
  metrics: "metrics",
  logs: "logs",
};

/** Lyceum's own, or JSON that cannot be told from it. */
function isDefinite(answer: Answer | null): boolean {
  if (answer === null) return false;
  const isJson = answer.text === undefined || /^\uFEFF?\s*\{/.test(answer.text);
  return isJson && answer.status < 500 && answer.status !== 429;
}
