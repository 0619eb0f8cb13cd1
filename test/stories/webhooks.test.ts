// Webhooks through the whole service: what a subscriber gets, verified with the library and without it.
import { Webhook } from "standardwebhooks";
import { expect, it } from "vitest";
import { isSignedWith, type Received, silence, startReceiver, status } from "../support/receiver.ts";
import { image, type Service, type ServiceOptions, startService, until } from "../support/service.ts";

const jobSecret = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;
const settings = { WEBHOOK_SECRET: jobSecret, WEBHOOK_ALLOW_PRIVATE: "127.0.0.0/8" };
const start = (options: ServiceOptions = {}) => startService({ settings, ...options });

/** With the library, as a subscriber would. */
function verified(secret: string, { body, headers }: Received): unknown {
  return new Webhook(secret).verify(body, headers as Record<string, string>);
}

async function subscribe(
  service: Service,
  url: string,
  types: string[],
  who: "ann" | "bob" | "admin" = "ann",
) {
  const answer = await service[who].post("/v1/webhooks", { url, types });
  if (answer.status !== 201) throw new Error(`the webhook was answered ${answer.status}: ${answer.text}`);
  return answer.body as { id: string; secret: string };
}

const deliveriesOf = async (service: Service, id: string) =>
  (await service.ann.get(`/v1/webhooks/${id}/deliveries`)).body.data;

it.concurrent("subscribers and the job's own URL receive the end as a signed, verifiable delivery", async () => {
  await using service = await start();
  await using receiver = await startReceiver();
  await using own = await startReceiver();
  const { id, secret } = await subscribe(service, receiver.url, ["job.*", "run.succeeded"]);
  const run = await service.run(image(), { name: "sweep", webhook_url: own.url });
  await until("all deliveries", () => receiver.received.length === 4 && own.received.length === 1);

  expect(receiver.types().toSorted()).toEqual([
    "job.active",
    "job.created",
    "job.succeeded",
    "run.succeeded",
  ]);
  for (const one of receiver.received) {
    expect(verified(secret, one)).toEqual(JSON.parse(one.body));
    expect(isSignedWith(secret, one)).toBe(true);
    expect(() => verified(jobSecret, one)).toThrow(/signature/);
  }
  const [end] = own.received;
  if (end === undefined) throw new Error("nothing arrived");
  expect(verified(jobSecret, end)).toMatchObject({
    type: "job.succeeded",
    timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
    data: {
      job_id: run.job_id,
      name: "sweep",
      counts: { succeeded: 1 },
      event_id: expect.stringMatching(/^evt_/),
    },
  });

  await until("the log", async () =>
    (await deliveriesOf(service, id)).every((one: { state: string }) => one.state === "delivered"),
  );
  const deliveries = await deliveriesOf(service, id);
  expect(deliveries.map((one: { id: string }) => one.id).toSorted()).toEqual(
    receiver.received.map(({ headers }) => headers["webhook-id"]).toSorted(),
  );
  expect(deliveries[0]).toMatchObject({
    webhook_id: id,
    job_id: run.job_id,
    attempts: 1,
    log: [{ status: 204, error: null }],
  });
  const ofJob = (await service.ann.get(`/v1/jobs/${run.job_id}/deliveries`)).body.data;
  expect(ofJob).toMatchObject([{ webhook_id: null, url: own.url, type: "job.succeeded" }]);
  expect((await service.bob.get(`/v1/jobs/${run.job_id}/deliveries`)).status).toBe(404);

  expect((await service.ann.post(`/v1/webhooks/${id}/deliveries/${deliveries[0].id}/redeliver`)).status).toBe(
    202,
  );
  expect((await service.ann.post(`/v1/jobs/${run.job_id}/deliveries/${ofJob[0].id}/redeliver`)).status).toBe(
    202,
  );
  expect((await service.ann.post(`/v1/webhooks/${id}/deliveries/${ofJob[0].id}/redeliver`)).status).toBe(404);
  await until("the redeliveries", () => receiver.received.length === 5 && own.received.length === 2);
  const again = receiver.received[4];
  expect(again?.headers["webhook-id"]).toBe(deliveries[0].id);
  expect(own.received[1]?.body).toBe(end.body);

  const metrics = (await service.nobody.get("/metrics")).text;
  expect(metrics).toMatch(/proctor_webhook_deliveries_total\{outcome="delivered"\} [67]/);
  const shown = [...service.logLines, ...service.answers.filter((text) => !text.includes('"secret"'))].join(
    "\n",
  );
  for (const hidden of [secret, jobSecret]) expect(shown).not.toContain(hidden.slice(6));
  expect(service.logLines.join("")).not.toContain("/hook");
  expect(shown).not.toContain("nobody is to see");
});

it.concurrent("a submitter's webhook receives only events of its own jobs, an administrator's can receive all", async () => {
  await using service = await start();
  await using anns = await startReceiver();
  await using all = await startReceiver();
  await subscribe(service, anns.url, ["job.created"]);
  await subscribe(service, all.url, ["job.created"], "admin");
  const { body: bobsJob } = await service.bob.post("/v1/jobs", { runs: [image()] });
  const annsJob = await service.submit({ runs: [image()] });
  await until("the deliveries", () => all.received.length === 2 && anns.received.length === 1);
  const jobsOf = (received: Received[]) =>
    received.map(({ body }) => JSON.parse(body).data.job_id).toSorted();
  expect(jobsOf(all.received)).toEqual([bobsJob.id, annsJob.id].toSorted());
  expect(jobsOf(anns.received)).toEqual([annsJob.id]);
});

it.concurrent("events undelivered before a crash are delivered after it", async () => {
  await using service = await start();
  const away = await startReceiver();
  await away.stop();
  const { id, secret } = await subscribe(service, away.url, ["job.succeeded"]);
  await service.run(image());
  await until("the first attempt", async () => (await deliveriesOf(service, id))[0]?.attempts === 1);
  await service.crash();
  await using back = await startReceiver(status(204), away.port);
  await until("the delivery", () => back.received.length === 1);
  expect(back.received.map((one) => verified(secret, one))).toMatchObject([{ type: "job.succeeded" }]);
});

it.concurrent("an orderly stop waits for the attempt under way, but for a silent subscriber no longer than the grace", async () => {
  await using service = await start({ settings: { ...settings, SHUTDOWN_GRACE: "2s" } });
  await using mute = await startReceiver(silence);
  await subscribe(service, mute.url, ["job.created"]);
  await service.submit({ runs: [image()] });
  await until("the attempt", () => mute.received.length === 1);
  await service.stop();
  const [delivery] = service.rows("select state, attempts, due_at from deliveries");
  expect(delivery).toMatchObject({ state: "pending", attempts: 0 });
  // Given back: the next process need not wait for the end of a lease.
  expect(delivery.due_at).toBeLessThanOrEqual(Date.now());
});

it.concurrent("without WEBHOOK_ALLOW_PRIVATE no subscriber on loopback is reached, for any key", async () => {
  await using service = await start({ settings: { WEBHOOK_SECRET: jobSecret } });
  await using receiver = await startReceiver();
  for (const who of ["ann", "admin"] as const) {
    const answer = await service[who].post("/v1/webhooks", { url: receiver.url, types: ["*"] });
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ pointer: "/url" }] } });
  }
  expect((await service.ann.post("/v1/jobs", { runs: [image()], webhook_url: receiver.url })).status).toBe(
    422,
  );
});
