// The state machine over every situation × fact pair: what holds of each of them.
import { describe, expect, test } from "vitest";
import { phases } from "../../src/domain/execution.ts";
import { runStatuses } from "../../src/domain/run.ts";
import { invariants } from "./invariants.ts";
import { facts, pairs, type Step, situations } from "./pairs.ts";
import { sketch } from "./scene.ts";

const SHOWN = 5;

describe("any fact in any state", () => {
  test.each(Object.entries(invariants))("%s", (_sentence, holds) => {
    const broken = pairs.filter((pair) => !holds(pair));
    expect(broken.slice(0, SHOWN).map(told)).toEqual([]);
  });
});

test("the pairs cover every status of a run and every phase of an execution", () => {
  expect(new Set(situations.map(({ run }) => run.status))).toEqual(new Set(runStatuses));
  expect(new Set(situations.flatMap(({ execution }) => execution?.phase ?? []))).toEqual(new Set(phases));
});

test("every fact changes at least one state", () => {
  const effective = new Set(pairs.filter(({ changed }) => changed).map(({ fact }) => fact.type));
  expect(effective).toEqual(new Set(facts.map(({ type }) => type)));
});

function told({ before, fact, next }: Step): string {
  const events = next.events.map((event) => event.type).join(", ");
  return `${sketch(before)} + ${JSON.stringify(fact)} -> ${sketch(next)} [${events}]`;
}
