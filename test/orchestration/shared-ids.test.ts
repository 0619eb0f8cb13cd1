// Two starts answered with the same id: the first keeps it, the second is in doubt until its marker was found.
import { expect, test } from "vitest";
import type { Fact } from "../../src/domain/state-machine/fact.ts";
import { applyFacts } from "../../src/orchestration/apply-facts.ts";
import { findExecution } from "../../src/store/executions.ts";
import { eachDatabase } from "../support/databases.ts";
import { claimed, contextOf, submitted, tell } from "../support/scene.ts";

const accepted = (found: boolean): Fact => {
  return { type: "accepted", lyceumExecutionId: "lyceum-1", status: "pending", raw: "pending", found };
};

eachDatabase("an id of Lyceum's that another execution holds", (open) => {
  async function scene() {
    const database = await open();
    const context = contextOf(database);
    await submitted(context, 2);
    const [first, second] = [(await claimed(context)).execution.id, (await claimed(context)).execution.id];
    const now = async () =>
      Promise.all([first, second].map(async (id) => findExecution(database.store.db, id)));
    return { ...database, context, first, second, now };
  }

  test("an id of Lyceum's that another execution holds puts the start in doubt, also when both answers are written together", async () => {
    for (const isTogether of [true, false]) {
      const { store, context, first, second, now } = await scene();
      const all = [first, second].map((executionId) => ({ executionId, fact: accepted(false) }));
      if (isTogether) await store.write((tx) => applyFacts(context, tx, all));
      else for (const { executionId, fact } of all) await tell(context, executionId, fact);
      expect(await now()).toMatchObject([
        { phase: "watching", lyceumExecutionId: "lyceum-1", doubt: null },
        {
          phase: "submitting",
          lyceumExecutionId: null,
          doubt: "unanswered",
          error: expect.stringContaining(first),
        },
      ]);
    }
  });

  test("an id of Lyceum's that another execution holds is the execution's own where it was found by its marker", async () => {
    const { context, first, second, now } = await scene();
    await tell(context, first, accepted(false));
    await tell(context, second, accepted(false));
    await tell(context, second, accepted(true));
    expect(await now()).toMatchObject([
      { phase: "watching" },
      { phase: "watching", lyceumExecutionId: "lyceum-1" },
    ]);
  });

  test("an id of Lyceum's that another execution holds is no other's when the same answer is written again", async () => {
    const { context, first, now } = await scene();
    await tell(context, first, accepted(false));
    expect(await tell(context, first, accepted(false))).toMatchObject({ changed: false });
    expect(await now()).toMatchObject([{ phase: "watching", doubt: null }, { phase: "submitting" }]);
  });
});
