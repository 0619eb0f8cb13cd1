// A start under way holds its execution with a short lease that is renewed; without renewal the execution comes due.
import { expect, test } from "vitest";
import { findExecution } from "../../src/store/executions.ts";
import { createStartLeases } from "../../src/workers/start-leases.ts";
import { eachDatabase } from "../support/databases.ts";
import { claimed, contextOf, submitted, tell } from "../support/scene.ts";

eachDatabase("leases of starts", (open) => {
  test("leases of starts are renewed while the start is under way, and not once it is over or in doubt", async () => {
    const database = await open();
    const { store, time } = database;
    const context = contextOf(database);
    await submitted(context, 3);
    const ids = [];
    for (let runs = 0; runs < 3; runs++) ids.push((await claimed(context)).execution.id);
    const [underWay = "", over = "", doubtful = ""] = ids;
    const dueIn = async (id: string) => ((await findExecution(store.db, id))?.dueAt ?? 0) - time.now();
    const leaseMs = context.rules.submitPatienceMs;

    const leases = createStartLeases(context, time);
    expect(leases.renewAt()).toBeNull();
    for (const id of ids) leases.hold(id);
    expect(leases.renewAt()).toBe(time.now() + leaseMs / 3);
    leases.release(over);
    await tell(context, doubtful, { type: "outcome_unknown", detail: "no answer" });
    const searchedIn = await dueIn(doubtful);

    time.pass(leaseMs / 3 - 1);
    await leases.renew();
    expect(await dueIn(underWay)).toBe((leaseMs * 2) / 3 + 1);
    time.pass(1);
    await leases.renew();
    expect(await dueIn(underWay)).toBe(leaseMs);
    expect(await dueIn(over)).toBe((leaseMs * 2) / 3);
    expect(await dueIn(doubtful)).toBe(searchedIn - leaseMs / 3);
    expect(leases.renewAt()).toBe(time.now() + leaseMs / 3);
  });
});
