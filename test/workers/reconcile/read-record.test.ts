// Confirm: whose answer counts for an execution.
import { expect, test } from "vitest";
import type { LyceumClient } from "../../../src/lyceum/client.ts";
import { createReconciler } from "../../../src/workers/reconcile/reconcile.ts";
import { eachDatabase } from "../../support/databases.ts";
import { contextOf, live, submitted, tell } from "../../support/scene.ts";
import { collectsLater } from "../watcher.ts";

eachDatabase("an execution", (open) => {
  test("an execution whose id shows a record of somebody else takes no status under that id either", async () => {
    const database = await open();
    const context = contextOf(database);
    await submitted(context, 1);
    const { execution, run } = await live(context);
    await tell(context, execution.id, { type: "callback" });
    const asked: string[] = [];
    const lyceum = {
      record: async () => {
        asked.push("record");
        return { type: "unreadable", detail: "", isTooLarge: false, isForeign: true };
      },
      streamingStatus: async () => {
        asked.push("status");
        return { type: "ok", value: { executionId: null, word: "completed", errors: null } };
      },
    } as unknown as LyceumClient;
    const check = createReconciler(context, {
      lyceum,
      now: () => database.time.now(),
      collect: collectsLater,
      onCapacity: () => {},
    });
    await check.runOnce();
    await check.idle();
    expect(asked).toEqual(["record"]);
    const { db } = database.store;
    const saved = await db.selectFrom("runs").select("status").where("id", "=", run.id).executeTakeFirst();
    expect(saved).toEqual({ status: "active" });
  });
});
