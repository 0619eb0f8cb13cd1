// Claims on deliveries: no two at once, none lost with the process that held it.
import { expect, test } from "vitest";
import { deliverAgain } from "../../../src/orchestration/webhooks.ts";
import { eachDatabase } from "../../support/databases.ts";
import { silence, status } from "../../support/receiver.ts";
import { submitted } from "../../support/scene.ts";
import { eventually } from "../../support/wait.ts";
import { receiverOf, sceneOf, subscribe } from "../delivering.ts";

eachDatabase("a claim", (open) => {
  test("a claim keeps two instances from sending the same thing", async () => {
    const receiver = await receiverOf();
    const database = await open();
    const [one, other] = [sceneOf(database), sceneOf({ ...database, store: database.connect() })];
    await subscribe(one.context, receiver.url, ["run.queued"]);
    await submitted(one.context, 4);
    await Promise.all([one.work(), other.work()]);
    const ids = receiver.received.map(({ headers }) => headers["webhook-id"]);
    expect(new Set(ids).size).toBe(4);
    expect(ids).toHaveLength(4);
  });

  test("a claim of a process that died ends by itself, and one that stops gives it back", async () => {
    const receiver = await receiverOf(silence);
    const database = await open();
    const [dying, next] = [sceneOf(database), sceneOf({ ...database, store: database.connect() })];
    await subscribe(dying.context, receiver.url);
    await submitted(dying.context, 1);
    await dying.worker.runOnce();
    await eventually(() => expect(receiver.received).toHaveLength(1));
    const leaseUntil = (await dying.sole()).due_at ?? 0;
    expect(leaseUntil).toBeGreaterThan(dying.time.now() + 20_000);
    expect(await next.work()).toBe(leaseUntil);
    expect(receiver.received).toHaveLength(1);

    await dying.worker.release?.();
    receiver.answerWith(status(204));
    await next.work();
    expect(await next.sole()).toMatchObject({ state: "delivered", attempts: 1 });
    dying.time.pass(15_000);
    await dying.worker.idle();
    expect(await next.sole()).toMatchObject({ state: "delivered", attempts: 1 });
  });

  test("a claim does not swallow a redelivery that is asked for during an attempt", async () => {
    const receiver = await receiverOf((response) =>
      setImmediate(() => status(500)(response, { path: "", headers: {}, body: "" })),
    );
    const scene = sceneOf(await open());
    await subscribe(scene.context, receiver.url);
    await submitted(scene.context, 1);
    await scene.work();
    scene.time.pass(5_000);
    receiver.answerWith(silence);
    await scene.worker.runOnce();
    await eventually(() => expect(receiver.received).toHaveLength(2));
    const { id } = await scene.sole();
    await deliverAgain(scene.context, id);
    // The delivery is under way: nothing is sent twice at once.
    await scene.worker.runOnce();
    expect(receiver.received).toHaveLength(2);
    scene.time.pass(15_000);
    await scene.worker.idle();
    receiver.answerWith(status(204));
    await scene.work();
    expect(await scene.sole()).toMatchObject({ state: "delivered", attempts: 1 });
    expect(receiver.received).toHaveLength(3);
  });
});
