// Effects of deliveries on their webhook: disabled without a receiver, rotated, revived, deleted, fair to others.
import { expect, test, vi } from "vitest";
import { deliverAgain, reviveWebhook, rotateWebhook } from "../../../src/orchestration/webhooks.ts";
import { deleteWebhook, findWebhook } from "../../../src/store/webhooks.ts";
import { eachDatabase } from "../../support/databases.ts";
import { isSignedWith, silence, status } from "../../support/receiver.ts";
import { submitted } from "../../support/scene.ts";
import { eventually } from "../../support/wait.ts";
import { DAY, HOUR, receiverOf, type Scene, sceneOf, subscribe } from "../delivering.ts";

/** Lets the time of the next attempt come, until there is none. */
async function tryToTheEnd(scene: Scene): Promise<void> {
  for (let tries = 0; tries < 50; tries++) {
    const next = await scene.work();
    const after = (await scene.deliveries()).map((one) => one.due_at).filter((at) => at !== null);
    if (after.length === 0) return;
    scene.time.pass(Math.max(Math.min(next ?? Number.POSITIVE_INFINITY, ...after) - scene.time.now(), 0));
  }
  throw new Error("it never ends");
}

eachDatabase("a webhook", (open) => {
  test("a webhook at which nothing arrives for a day is disabled, with an event that others hear of", async () => {
    const dead = await receiverOf(status(500));
    const other = await receiverOf();
    const scene = sceneOf(await open());
    const { id } = await subscribe(scene.context, dead.url, ["*"]);
    await subscribe(scene.context, other.url, ["webhook.disabled"]);
    const startedAt = scene.time.now();
    const job = await submitted(scene.context, 1);
    await tryToTheEnd(scene);
    expect(scene.time.now() - startedAt).toBeGreaterThan(DAY - 4 * HOUR);
    expect(await findWebhook(scene.store.db, id, null)).toMatchObject({
      disabled_at: expect.any(Number),
      disabled_reason: "exhausted",
    });
    expect(await scene.events()).toMatchObject([{ type: "webhook.disabled", job_id: job.id }]);
    expect(other.received.map(({ body }) => JSON.parse(body))).toMatchObject([
      { type: "webhook.disabled", data: { webhook_id: id, reason: "exhausted", job_id: job.id } },
    ]);
    const states = (await scene.deliveries()).filter((one) => one.webhook_id === id).map((one) => one.reason);
    expect(states.toSorted()).toEqual(["exhausted", "webhook_disabled"]);
    // Later events create no delivery for the disabled webhook.
    const before = (await scene.deliveries()).length;
    await submitted(scene.context, 1);
    expect(await scene.deliveries()).toHaveLength(before);
  });

  test("a webhook that refuses one message but takes others stays", async () => {
    const picky = await receiverOf((response, { body }) =>
      status(body.includes('"run.queued"') ? 400 : 204)(response, { path: "", headers: {}, body }),
    );
    const scene = sceneOf(await open(), { perDestination: 64 });
    const { id } = await subscribe(scene.context, picky.url, ["run.queued", "job.created"]);
    await submitted(scene.context, 1);
    for (let round = 0; round < 20; round++) {
      await scene.work();
      scene.time.pass(4 * HOUR);
      await submitted(scene.context, 1);
    }
    expect(await findWebhook(scene.store.db, id, null)).toMatchObject({ disabled_at: null });
    const failed = (await scene.deliveries()).filter((one) => one.state === "failed");
    expect(failed.length).toBeGreaterThan(0);
    expect(failed.every((one) => one.reason === "exhausted" && one.type === "run.queued")).toBe(true);
  });

  test("a webhook that says 410 is disabled at once, and what waits for it is given up", async () => {
    const gone = await receiverOf(status(410));
    const scene = sceneOf(await open(), { perDestination: 1 });
    const { id } = await subscribe(scene.context, gone.url, ["run.queued"]);
    await submitted(scene.context, 3);
    await scene.work();
    expect((await scene.deliveries()).map((one) => one.reason)).toEqual([
      "gone",
      "webhook_disabled",
      "webhook_disabled",
    ]);
    expect(await findWebhook(scene.store.db, id, null)).toMatchObject({ disabled_reason: "gone" });
    expect(await scene.events()).toHaveLength(1);
    expect(gone.received).toHaveLength(1);

    gone.answerWith(status(204));
    await reviveWebhook(scene.context, id);
    for (const { id } of await scene.deliveries()) await deliverAgain(scene.context, id);
    await scene.work();
    await scene.work();
    await scene.work();
    expect((await scene.deliveries()).map((one) => one.state)).toEqual([
      "delivered",
      "delivered",
      "delivered",
    ]);
  });

  test("a webhook whose secret was rotated gets both signatures for a day, then the new one's alone", async () => {
    const receiver = await receiverOf();
    const scene = sceneOf(await open());
    const { id, secret: former } = await subscribe(scene.context, receiver.url);
    const current = (await rotateWebhook(scene.context, id, null))?.secret ?? "";
    const signers = async () => {
      await submitted(scene.context, 1);
      await scene.work();
      const last = receiver.received.at(-1);
      if (last === undefined) throw new Error("nothing arrived");
      return [isSignedWith(former, last), isSignedWith(current, last)];
    };
    expect(await signers()).toEqual([true, true]);
    scene.time.pass(DAY - 1);
    expect(await signers()).toEqual([true, true]);
    scene.time.pass(1);
    expect(await signers()).toEqual([false, true]);
  });

  test("a webhook that is deleted during an attempt takes its deliveries along", async () => {
    const receiver = await receiverOf(silence);
    const scene = sceneOf(await open());
    const { id } = await subscribe(scene.context, receiver.url);
    await submitted(scene.context, 1);
    await scene.worker.runOnce();
    await eventually(() => expect(receiver.received).toHaveLength(1));
    await scene.store.write((tx) => deleteWebhook(tx.db, id));
    scene.time.pass(15_000);
    await scene.worker.idle();
    expect(await scene.deliveries()).toEqual([]);
  });

  test("a webhook that is slow or dead keeps the others not waiting", async () => {
    const slow = await receiverOf(silence);
    const quick = await receiverOf();
    const onCapacity = vi.fn();
    const scene = sceneOf(await open(), { concurrency: 4, perDestination: 2, onCapacity });
    await subscribe(scene.context, slow.url, ["run.queued"]);
    await subscribe(scene.context, quick.url, ["run.queued"]);
    await submitted(scene.context, 6);
    for (let delivered = 0; delivered < 6; ) {
      await scene.worker.runOnce();
      await eventually(() => expect(onCapacity.mock.calls.length).toBeGreaterThan(delivered));
      delivered = onCapacity.mock.calls.length;
    }
    expect(quick.received).toHaveLength(6);
    expect(slow.received).toHaveLength(2);
    scene.time.pass(15_000);
    await scene.worker.idle();
  });
});
