// The worked example in examples/bullmq-worker, with an in-process queue of BullMQ's shape against the real service.
import { UnrecoverableError } from "bullmq";
import { createClient } from "proctor/client";
import { expect, it } from "vitest";
import { createProcessor, LOCK_LOST, type QueueJob } from "../../examples/bullmq-worker/processor.ts";
import { createSubmitter, createWebhookHandler } from "../../examples/bullmq-worker/webhook.ts";
import type { JobRequest } from "../../src/client/request.ts";
import { startReceiver } from "../support/receiver.ts";
import { apiKeys, image, type Service, startService, until } from "../support/service.ts";

const clientOf = (service: Service) => createClient({ url: service.url(), apiKey: apiKeys.ann });
const jobOf = (switches = "") => ({ runs: [image(switches)] }) as JobRequest;

type Processor<R> = (job: QueueJob, token?: string, signal?: AbortSignal) => Promise<R>;

/** Stands in for BullMQ without Redis: an id for each job, a signal each time a job is processed. */
function queueOf<R>(processor: Processor<R>) {
  const active = new Map<string, AbortController>();
  const progress: number[] = [];
  const jobs: QueueJob[] = [];
  return {
    active,
    progress,
    add(data: JobRequest): QueueJob {
      const id = String(jobs.length + 1);
      const job = {
        id,
        queueName: "runs",
        timestamp: Date.now(),
        data,
        updateProgress: async (share: number) => void progress.push(share),
      };
      jobs.push(job);
      return job;
    },
    async process(job: QueueJob): Promise<R> {
      const controller = new AbortController();
      active.set(job.id ?? "", controller);
      return processor(job, "token", controller.signal).finally(() => active.delete(job.id ?? ""));
    },
    cancelJob: (job: QueueJob, reason: string) => active.get(job.id ?? "")?.abort(reason),
  };
}

const jobsOf = async (service: Service) => (await service.ann.get("/v1/jobs")).body.data;
const underWay = (service: Service) =>
  until("the job to be under way", async () =>
    (await jobsOf(service)).find((job: { status: string }) => job.status === "active"),
  );

it.concurrent("a job of the queue becomes one of Proctor, and its result is the queue's", async () => {
  await using service = await startService();
  const queue = queueOf(createProcessor(clientOf(service)));
  const rows = await queue.process(queue.add(jobOf()));
  expect(rows).toMatchObject([{ status: "succeeded", return_code: 0 }]);
  expect(queue.progress.at(-1)).toBe(100);
});

it.concurrent("a failed job is not repeated by the queue", async () => {
  await using service = await startService();
  const queue = queueOf(createProcessor(clientOf(service)));
  await expect(queue.process(queue.add(jobOf("exit=1")))).rejects.toMatchObject({
    name: "UnrecoverableError",
  });
});

it.concurrent("a submission that Proctor refuses is not repeated by the queue", async () => {
  await using service = await startService();
  const queue = queueOf(createProcessor(clientOf(service)));
  const refused = queue.add({ runs: [] as never[] } as JobRequest);
  await expect(queue.process(refused)).rejects.toMatchObject({
    name: "UnrecoverableError",
    message: expect.stringContaining("runs"),
  });
  const stranger = createClient({ url: service.url(), apiKey: "x".repeat(32) });
  const rejected = queueOf(createProcessor(stranger)).add(jobOf());
  await expect(createProcessor(stranger)(rejected)).rejects.toBeInstanceOf(UnrecoverableError);
});

it.concurrent("a service that is away is a reason to try again, and an emptied Redis makes no two jobs one", async () => {
  await using service = await startService();
  const away = createClient({ url: "http://127.0.0.1:1", apiKey: apiKeys.ann, retry: { attempts: 1 } });
  const queue = queueOf(createProcessor(clientOf(service)));
  const job = queue.add(jobOf());
  await expect(createProcessor(away)(job)).rejects.toMatchObject({ name: "ProctorError", isTransient: true });
  await queue.process(job);
  await queue.process({ ...job, timestamp: job.timestamp + 1 });
  expect(await jobsOf(service)).toHaveLength(2);
});

it.concurrent("a worker that loses its lock leaves the run to the one that takes the job over", async () => {
  await using service = await startService({ chaos: { delay: "2s" } });
  const queue = queueOf(createProcessor(clientOf(service)));
  const job = queue.add(jobOf());
  const first = queue.process(job).catch((error: unknown) => error);
  await underWay(service);
  queue.cancelJob(job, LOCK_LOST);
  expect(await first).toBe(LOCK_LOST);
  expect(await queue.process(job)).toMatchObject([{ status: "succeeded" }]);
  expect(await jobsOf(service)).toHaveLength(1);
  expect(service.starts()).toHaveLength(1);
});

it.concurrent("a job that nobody wants any more is ended at Lyceum, too", async () => {
  await using service = await startService();
  const queue = queueOf(createProcessor(clientOf(service)));
  const job = queue.add(jobOf("delay=60s"));
  const processing = queue.process(job).catch((error: unknown) => error);
  const { id } = await underWay(service);
  queue.cancelJob(job, "asked for");
  expect(await processing).toMatchObject({
    name: "UnrecoverableError",
    message: `${id} is cancelled: asked for`,
  });
  const [run] = await service.ended(id);
  expect(run?.status).toBe("cancelled");
});

it.concurrent("with a webhook no worker waits: the verified end makes one follow-up job", async () => {
  const secret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
  const settings = { WEBHOOK_SECRET: secret, WEBHOOK_ALLOW_PRIVATE: "127.0.0.0/8" };
  await using service = await startService({ settings });
  await using receiver = await startReceiver();
  const followUps = new Map<string, object>();
  const handle = createWebhookHandler(secret, {
    add: async (name, data, { jobId }) => followUps.set(jobId, { name, ...data }),
  });
  const queue = queueOf(createSubmitter(clientOf(service), receiver.url));
  const id = await queue.process(queue.add(jobOf()));
  const [delivery] = await until("the delivery", () =>
    receiver.received.length > 0 ? receiver.received : null,
  );
  const headers = delivery?.headers as Record<string, string>;
  const deliver = (body: string) =>
    handle(new Request("http://worker.test/hook", { method: "POST", headers, body }));
  const body = delivery?.body ?? "";
  expect((await deliver(body)).status).toBe(204);
  expect((await deliver(body)).status).toBe(204);
  expect((await deliver(body.replace("succeeded", "failed"))).status).toBe(401);
  expect([...followUps.values()]).toEqual([{ name: "job.succeeded", proctorJobId: id }]);
});
