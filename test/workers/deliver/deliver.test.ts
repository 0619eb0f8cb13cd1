// Delivering to real HTTP servers, on a clock that is told what time it is.
import { expect, onTestFinished, test } from "vitest";
import { readLog } from "../../../src/store/deliveries.ts";
import { findWebhook } from "../../../src/store/webhooks.ts";
import { eachDatabase } from "../../support/databases.ts";
import { isSignedWith, silence, startReceiver, status } from "../../support/receiver.ts";
import { ended, submitted } from "../../support/scene.ts";
import { eventually } from "../../support/wait.ts";
import { jobSecret, lastError, receiverOf, sceneOf, subscribe } from "../delivering.ts";

eachDatabase("a delivery", (open) => {
  test("a delivery is signed per Standard Webhooks, says what happened, and is logged without the answer's body", async () => {
    const receiver = await receiverOf(status(200));
    const scene = sceneOf(await open());
    const { id, secret } = await subscribe(scene.context, receiver.url);
    const job = await submitted(scene.context, 1, { name: "sweep" });
    await scene.work();

    const [received] = receiver.received;
    const delivery = await scene.sole();
    if (received === undefined) throw new Error("nothing arrived");
    expect(isSignedWith(secret, received)).toBe(true);
    expect(isSignedWith(jobSecret, received)).toBe(false);
    expect(received.headers).toMatchObject({
      "webhook-id": delivery.id,
      "webhook-timestamp": String(Math.floor(scene.time.now() / 1000)),
      "content-type": "application/json",
    });
    expect(JSON.parse(received.body)).toMatchObject({
      type: "job.created",
      timestamp: new Date(scene.time.now()).toISOString(),
      data: { job_id: job.id, name: "sweep", counts: { queued: 1 } },
    });
    expect(delivery).toMatchObject({
      webhook_id: id,
      state: "delivered",
      due_at: null,
      attempts: 1,
      reason: null,
    });
    expect(readLog(delivery.log)).toEqual([
      { at: scene.time.now(), durationMs: 0, status: 200, error: null },
    ]);
    expect(JSON.stringify(await scene.deliveries())).not.toContain("nobody is to see");
    expect(JSON.stringify(await scene.deliveries())).not.toContain(secret.slice(6));
    expect(await scene.work()).toBeNull();
  });

  test("a delivery that fails is tried again, later each time, with the same id and body, until it arrives", async () => {
    const receiver = await receiverOf(status(503));
    const scene = sceneOf(await open());
    const { secret } = await subscribe(scene.context, receiver.url);
    await submitted(scene.context, 1);
    for (const waitMs of [5_000, 15_000, 45_000]) {
      await scene.work();
      const { due_at } = await scene.sole();
      expect(due_at).toBe(scene.time.now() + waitMs);
      expect(await scene.work()).toBe(due_at);
      scene.time.pass(waitMs);
    }
    receiver.answerWith(status(204));
    await scene.work();
    expect(await scene.sole()).toMatchObject({ state: "delivered", attempts: 4 });
    expect(receiver.received).toHaveLength(4);
    expect(
      new Set(receiver.received.map(({ headers, body }) => `${headers["webhook-id"]} ${body}`)).size,
    ).toBe(1);
    expect(receiver.received.every((one) => isSignedWith(secret, one))).toBe(true);
    expect(new Set(receiver.received.map(({ headers }) => headers["webhook-timestamp"])).size).toBe(4);
    expect(readLog((await scene.sole()).log).map((one) => one.status)).toEqual([503, 503, 503, 204]);
  });

  test("a delivery waits as long as the subscriber asks for", async () => {
    const receiver = await receiverOf(status(429, { "Retry-After": "600" }));
    const scene = sceneOf(await open());
    await subscribe(scene.context, receiver.url);
    await submitted(scene.context, 1);
    await scene.work();
    expect((await scene.sole()).due_at).toBe(scene.time.now() + 600_000);
  });

  test("a delivery does not follow a redirect", async () => {
    const inside = await receiverOf();
    const receiver = await receiverOf(status(307, { Location: inside.url }));
    const scene = sceneOf(await open());
    await subscribe(scene.context, receiver.url);
    await submitted(scene.context, 1);
    await scene.work();
    expect(readLog((await scene.sole()).log)).toMatchObject([{ status: 307 }]);
    expect(await scene.sole()).toMatchObject({ state: "pending", attempts: 1 });
    expect(inside.received).toEqual([]);
  });

  test("a delivery that gets no answer within 15 s, no connection or nonsense fails by name", async () => {
    const mute = await receiverOf(silence);
    const scene = sceneOf(await open());
    const { id } = await subscribe(scene.context, mute.url);
    await submitted(scene.context, 1);
    await scene.worker.runOnce();
    await eventually(() => expect(mute.received).toHaveLength(1));
    scene.time.pass(14_999);
    expect((await scene.sole()).attempts).toBe(0);
    scene.time.pass(1);
    await scene.worker.idle();
    expect(await scene.sole()).toMatchObject({ state: "pending", attempts: 1 });
    expect(readLog((await scene.sole()).log)).toMatchObject([
      { status: null, error: "timeout", durationMs: 15_000 },
    ]);

    await mute.stop();
    scene.time.pass(6_000);
    await scene.work();
    expect(lastError(await scene.sole())).toBe("ECONNREFUSED");

    const rude = await startReceiver(
      (response) => response.socket?.end("220 mail.example ESMTP\r\n"),
      mute.port,
    );
    onTestFinished(rude.stop);
    scene.time.pass(20_000);
    await scene.work();
    expect(lastError(await scene.sole())).toMatch(/^HPE_/);
    expect(await findWebhook(scene.store.db, id, null)).toMatchObject({ disabled_at: null });
  });

  test("a delivery to a job's own URL tells of its end alone, signed with the service's secret", async () => {
    const receiver = await receiverOf();
    const scene = sceneOf(await open());
    await submitted(scene.context, 2, { webhookUrl: receiver.url });
    await ended(scene.context, "completed");
    expect(await scene.deliveries()).toEqual([]);
    await ended(scene.context, "failed");
    await scene.work();
    expect(receiver.types()).toEqual(["job.failed"]);
    expect(receiver.received.every((one) => isSignedWith(jobSecret, one))).toBe(true);
    expect(await scene.sole()).toMatchObject({
      webhook_id: null,
      destination: new URL(receiver.url).origin,
      state: "delivered",
    });
  });

  test("a delivery to a job's own URL without a secret any more is not sent unsigned", async () => {
    const receiver = await receiverOf();
    const scene = sceneOf(await open(), { secret: null });
    await submitted(scene.context, 1, { webhookUrl: receiver.url });
    await ended(scene.context, "completed");
    await scene.work();
    expect(receiver.received).toEqual([]);
    expect(lastError(await scene.sole())).toBe("no_secret");
  });

  test("a delivery to a healthy endpoint has its turn however many dead ones there are", async () => {
    const reached: string[] = [];
    const hanging: (() => void)[] = [];
    const scene = sceneOf(await open(), {
      concurrency: 4,
      perDestination: 2,
      async findDestination(destination) {
        reached.push(new URL(destination).hostname);
        await new Promise<void>((resolve) => hanging.push(resolve));
        return { ok: false, error: "unresolved", detail: "" };
      },
    });
    const webhookUrls = ["dead1", "dead2", "dead3"].flatMap((name) => Array(9).fill(`https://${name}.test/`));
    for (const webhookUrl of [...webhookUrls, "https://healthy.test/"]) {
      await submitted(scene.context, 1, { webhookUrl });
      await ended(scene.context, "completed");
      scene.time.pass(1);
    }
    for (let turn = 1; turn <= 3; turn++) {
      await scene.worker.runOnce();
      await eventually(() => expect(reached).toHaveLength(2 + 2 * turn));
      for (const free of hanging.splice(0, 2)) free();
      const tried = async () => (await scene.deliveries()).filter(({ attempts }) => attempts > 0);
      await eventually(async () => expect(await tried()).toHaveLength(2 * turn));
    }
    expect(Map.groupBy(reached, (name) => name).keys()).toContain("healthy.test");
    for (const free of hanging) free();
    await scene.worker.idle();
  });
});
