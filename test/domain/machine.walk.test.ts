// Random walks: whatever happens to a new run in whatever order, nothing goes wrong, and answers bring it to an end.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Execution } from "../../src/domain/execution.ts";
import { isTerminal, type Policy, type Run, retryClasses } from "../../src/domain/run.ts";
import type { Fact } from "../../src/domain/state-machine/fact.ts";
import { invariants, isLive } from "./invariants.ts";
import { factsOf, type Step, step } from "./pairs.ts";
import {
  accepted,
  aMoment,
  aRun,
  collected,
  NOW,
  noAnswer,
  notFound,
  rules,
  sketch,
  snapshot,
} from "./scene.ts";

/** One run, and every execution that it ever had. */
interface World {
  run: Run;
  executions: Map<string, Execution>;
  policy: Policy;
  now: number;
}

interface Happening {
  fact: Fact;
  /** Which of the executions the fact is about, counted from the newest. */
  about: number;
  /** Until it happens; negative when the wall clock is set back. */
  waitMs: number;
  random: number;
  expectedMs: number | null;
}

const policies: fc.Arbitrary<Policy> = fc.record({
  retry: fc.record({ maxAttempts: fc.integer({ min: 1, max: 4 }), on: fc.subarray([...retryClasses]) }),
  onLost: fc.constantFrom("fail", "retry"),
});

const happenings: fc.Arbitrary<Happening> = fc.record({
  fact: fc.oneof(...Object.values(factsOf).map((list) => fc.constantFrom(...list))),
  about: fc.constantFrom(0, 0, 0, 1, 2),
  waitMs: fc.oneof(fc.integer({ min: 0, max: 90_000 }), fc.integer({ min: -10_000, max: 4_000_000 })),
  random: fc.double({ min: 0, max: 0.999, noNaN: true }),
  expectedMs: fc.constantFrom(null, 30_000),
});

test("on any walk from a new run every invariant holds at every step", () => {
  fc.assert(
    fc.property(policies, fc.array(happenings, { maxLength: 60, size: "max" }), (policy, all) => {
      const world = newWorld(policy);
      for (const happening of all) check(happen(world, happening));
    }),
    { numRuns: 500 },
  );
});

test("a run never has two live executions, and a live one is always its current", () => {
  fc.assert(
    fc.property(policies, fc.array(happenings, { maxLength: 60, size: "max" }), (policy, all) => {
      const world = newWorld(policy);
      for (const happening of all) {
        happen(world, happening);
        const live = [...world.executions.values()].filter(isLive).map((execution) => execution.id);
        expect(live).toEqual(world.run.status === "active" ? [world.run.executionId] : []);
        expect(world.run.attempt).toBeLessThanOrEqual(policy.retry.maxAttempts);
      }
    }),
    { numRuns: 500 },
  );
});

test("from any state of a walk, answers bring the run to an end and close all of its executions", () => {
  const choices = fc.infiniteStream(fc.nat({ max: 3 }));
  fc.assert(
    fc.property(policies, fc.array(happenings, { maxLength: 40 }), choices, (policy, all, choice) => {
      const world = newWorld(policy);
      for (const happening of all) happen(world, happening);
      for (let steps = 0; !isOver(world) && steps < 300; steps++) answer(world, choice.next().value ?? 0);
      expect([...world.executions.values()].filter(({ phase }) => phase !== "closed")).toEqual([]);
      expect(isTerminal(world.run.status)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

function newWorld(policy: Policy): World {
  return { run: aRun(), executions: new Map(), policy, now: NOW };
}

/** Applies the fact and returns the step; null when the fact's execution does not exist. */
function happen(world: World, { fact, about, waitMs, ...rest }: Happening): Step | null {
  world.now += waitMs;
  const isOfRun = fact.type === "claimed" || fact.type === "cancel";
  const id = isOfRun ? world.run.executionId : [...world.executions.keys()].at(-1 - about);
  return id === undefined ? null : learn(world, id, timely(fact, world), rest);
}

/** Times are relative to the moment at which the fact is learned. */
function timely(fact: Fact, { now, executions, run }: World): Fact {
  switch (fact.type) {
    case "claimed":
      return { ...fact, executionId: `exe_${executions.size}_${run.attempt}_${now}` };
    case "not_taken":
    case "unanswered":
      return { ...fact, retryAt: now + 5_000 };
    case "collect_later":
      return { ...fact, dueAt: now + 5_000 };
    case "snapshot":
      return { ...fact, askedAt: now - 100 };
    default:
      return fact;
  }
}

function learn(
  world: World,
  id: string | null,
  fact: Fact,
  rest: { random?: number; expectedMs?: number | null } = {},
): Step {
  const before = {
    run: world.run,
    execution: (id && world.executions.get(id)) || null,
    policy: world.policy,
  };
  const taken = step(before, fact, aMoment({ now: world.now, rules, ...rest }));
  const { run, execution } = taken.next;
  world.run = run;
  if (execution !== null) world.executions.set(execution.id, execution);
  else if (id !== null) world.executions.delete(id);
  return taken;
}

/** The next thing that a reachable Lyceum and living workers do. */
function answer(world: World, choice: number): void {
  const open = [...world.executions.values()].find(({ phase }) => phase !== "closed");
  if (open === undefined) {
    world.now = Math.max(world.now, world.run.dueAt ?? 0);
    learn(world, world.run.executionId, timely({ type: "claimed", executionId: "" }, world));
  } else learn(world, open.id, answerTo(world, open, choice));
}

function answerTo(world: World, { phase, inDoubtAt }: Execution, choice: number): Fact {
  switch (phase) {
    case "submitting":
      world.now += 15_000;
      if (inDoubtAt !== null) return choice === 0 ? accepted("running", true) : notFound;
      return choice === 0 ? noAnswer : accepted();
    case "watching":
      return snapshot((["running", "completed", "failed", "system_failure"] as const)[choice] ?? "running");
    case "orphan":
      return snapshot((["running", "completed", "aborted", "failed"] as const)[choice] ?? "completed");
    default:
      return collected;
  }
}

function isOver({ run, executions }: World): boolean {
  return isTerminal(run.status) && [...executions.values()].every(({ phase }) => phase === "closed");
}

function check(taken: Step | null): void {
  if (taken === null) return;
  for (const [sentence, holds] of Object.entries(invariants)) {
    if (!holds(taken)) {
      throw new Error(`${sentence}: ${sketch(taken.before)} + ${taken.fact.type} -> ${sketch(taken.next)}`);
    }
  }
}
