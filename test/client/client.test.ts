// The client against the real service and the emulated Lyceum.
import { expect, it } from "vitest";
import {
  createClient,
  type JobRequest,
  ProctorError,
  type RunRequest,
  verifyWebhook,
} from "../../src/client/client.ts";
import { startReceiver } from "../support/receiver.ts";
import { apiKeys, image, type Service, startService, until } from "../support/service.ts";

const clientOf = (service: Service, more: object = {}) =>
  createClient({ url: service.url(), apiKey: apiKeys.ann, retry: { firstPauseMs: 10 }, ...more });
const pretended = (switches = "", more: object = {}) => image(switches, more) as RunRequest;

async function all<T>(list: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of list) items.push(item);
  return items;
}

it.concurrent("a job is handed in, waited for, and read back with everything that was fetched", async () => {
  await using service = await startService();
  const proctor = clientOf(service);
  const sweep: JobRequest = {
    name: "sweep",
    runs: [
      { kind: "python", name: "adds", code: "print(1 + 1)\n" },
      pretended("exit=3", { name: "fails", matrix: { LR: ["0.1", "0.2"] } }),
    ],
  };
  const { id } = await proctor.submit(sweep);
  const updates: string[] = [];
  const job = await proctor.wait(id, { onUpdate: ({ status }) => updates.push(status), updateEveryMs: 100 });
  expect(job).toMatchObject({ status: "failed", counts: { succeeded: 1, failed: 2 }, progress: 1 });
  expect(updates.at(-1)).toBe("failed");

  const runs = await all(proctor.runs(id));
  expect(runs.map(({ name, status }) => [name, status])).toEqual([
    ["adds", "succeeded"],
    ["fails", "failed"],
    ["fails", "failed"],
  ]);
  const [first] = runs;
  if (first === undefined) throw new Error("no runs");
  const { output, logs, metrics, timing } = await proctor.artifacts(first.id);
  expect(output?.stdout).toContain("2");
  expect(logs?.entries.map(({ message }) => message).join("")).toContain("2");
  expect(metrics?.summary.series).toBeTypeOf("object");
  expect(timing?.timing).toBeTypeOf("object");
  expect(await proctor.logsText(first.id)).toMatch(/^\d{4}-.* 2$/m);
  expect((await all(proctor.results(id))).map(({ matrix }) => matrix?.LR)).toEqual([undefined, "0.1", "0.2"]);
  expect(await proctor.resultsCsv(id)).toMatch(/^run_id,position,name,LR,status,/);
  expect((await all(proctor.jobs({ name: "sweep" }))).map((one) => one.id)).toEqual([id]);

  const [failed] = runs.filter(({ status }) => status === "failed");
  const again = await proctor.retry(failed?.id ?? "");
  expect(again.retry_of).toBe(failed?.id);
  expect((await proctor.waitRun(again.id)).status).toBe("failed");
  const [execution] = again.executions;
  expect(execution).toBeUndefined();
  expect(await all(proctor.callbacks((await proctor.run(again.id)).executions[0]?.id ?? ""))).toHaveLength(1);

  await proctor.delete(id);
  await expect(proctor.job(id)).rejects.toMatchObject({ code: "not-found", status: 404 });
});

it.concurrent("an answer that was lost costs no second job", async () => {
  await using service = await startService();
  let isLost = true;
  const proctor = clientOf(service, {
    fetch: async (...args: Parameters<typeof fetch>) => {
      const answer = await fetch(...args);
      if (!isLost) return answer;
      isLost = false;
      await answer.body?.cancel();
      throw new TypeError("fetch failed");
    },
  });
  const { id } = await proctor.submit({ runs: [pretended()] });
  expect((await all(proctor.jobs())).map((one) => one.id)).toEqual([id]);
});

it.concurrent("a wait for the outcome ends before the artifacts are in", async () => {
  await using service = await startService({ surroundings: { logSpacingMs: 60_000 } });
  const proctor = clientOf(service);
  const { id } = await proctor.submit({ runs: [pretended("output=withheld logs=late log_lag=60s exit=3")] });
  const job = await proctor.wait(id, { for: "outcome" });
  expect(job).toMatchObject({ status: "active", ended_at: null, counts: { collecting: 1 } });
  const [run] = await all(proctor.runs(id));
  expect(await proctor.waitRun(run?.id ?? "", { for: "outcome" })).toMatchObject({
    status: "collecting",
    outcome: "failed",
  });
  await expect(proctor.wait(id, { timeoutMs: 100 })).rejects.toMatchObject({ code: "timeout" });
});

it.concurrent("a wait ends with its time or its signal, and the job goes on", async () => {
  await using service = await startService();
  const proctor = clientOf(service);
  const { id } = await proctor.submit({ runs: [pretended("delay=60s")] });
  await expect(proctor.wait(id, { timeoutMs: 100 })).rejects.toMatchObject({ code: "timeout" });
  const leaving = new AbortController();
  const waiting = proctor.wait(id, { signal: leaving.signal });
  leaving.abort(new Error("gone"));
  await expect(waiting).rejects.toThrow("gone");
  await proctor.cancel(id);
  expect((await proctor.wait(id)).status).toBe("cancelled");
});

it.concurrent("a job's events come from the first to the last, and the stream ends with the job", async () => {
  await using service = await startService();
  const proctor = clientOf(service);
  const { id } = await proctor.submit({ runs: [pretended()] });
  const types = (await all(proctor.events(id))).map(({ type }) => type);
  expect(types[0]).toBe("job.created");
  expect(types).toContain("run.succeeded");
  expect(types.at(-1)).toBe("job.succeeded");
  expect((await all(proctor.events(id, { types: ["job.*"] }))).map(({ type }) => type)).toEqual([
    "job.created",
    "job.active",
    "job.succeeded",
  ]);
});

it.concurrent("a stream that breaks off anywhere is taken up without gap or repeat", async () => {
  await using service = await startService();
  let pieces = 0;
  const proctor = clientOf(service, {
    fetch: async (...args: Parameters<typeof fetch>) => {
      const answer = await fetch(...args);
      if (answer.headers.get("Content-Type")?.startsWith("text/event-stream") !== true) return answer;
      const cut = new TransformStream<Uint8Array, Uint8Array>({
        transform(piece, controller) {
          // In the middle of every third piece.
          if (++pieces % 3 !== 0) return controller.enqueue(piece);
          controller.enqueue(piece.slice(0, piece.length / 2));
          controller.error(new Error("cut"));
        },
      });
      const body = answer.body?.pipeThrough(cut).pipeThrough(hurried()) ?? null;
      return new Response(body, answer);
    },
  });
  const { id } = await proctor.submit({ runs: [pretended(), pretended("exit=1")] });
  const events = await all(proctor.events(id));
  const kept = (await service.ann.get(`/v1/jobs/${id}/events?limit=1000`, { Accept: "application/json" }))
    .body.data;
  expect(events.map(({ seq }) => seq)).toEqual(kept.map(({ seq }: { seq: number }) => seq));
  expect(pieces).toBeGreaterThan(3);
});

/** The service asks for two seconds before coming back: too long for a test. */
function hurried() {
  const decoder = new TextDecoder();
  return new TransformStream<Uint8Array, Uint8Array>({
    transform: (piece, controller) =>
      controller.enqueue(new TextEncoder().encode(decoder.decode(piece).replace("retry: 2000", "retry: 10"))),
  });
}

it.concurrent("all jobs' events begin with now, and go on over a restart of the service", async () => {
  await using service = await startService();
  const proctor = clientOf(service, {
    // The service comes back at another port.
    fetch: (input: string, init: RequestInit) => fetch(input.replace(/^http:\/\/[^/]+/, service.url()), init),
  });
  const before = await proctor.submit({ runs: [pretended()] });
  await proctor.wait(before.id);
  const leaving = new AbortController();
  const events = proctor.events("all", { signal: leaving.signal, types: ["job.*"] });
  const heard: string[] = [];
  const listening = (async () => {
    for await (const { type, job_id } of events) heard.push(`${job_id} ${type}`);
  })();
  const first = await until("the stream to begin", async () => {
    const { id } = await proctor.submit({ runs: [pretended()] });
    await proctor.wait(id);
    return heard.find((line) => line.endsWith("job.succeeded"))?.split(" ")[0];
  });
  await service.restart();
  const second = await proctor.submit({ runs: [pretended()] });
  await until("the end of the second", () => heard.includes(`${second.id} job.succeeded`));
  expect(heard.filter((line) => line.startsWith(second.id))).toHaveLength(3);
  expect(heard).toContain(`${first} job.succeeded`);
  expect(heard.join()).not.toContain(before.id);
  leaving.abort(new Error("enough"));
  await expect(listening).rejects.toThrow("enough");
});

it.concurrent("a webhook is subscribed, verified, listed and taken away", async () => {
  await using service = await startService({ settings: { WEBHOOK_ALLOW_PRIVATE: "127.0.0.0/8" } });
  await using receiver = await startReceiver();
  const proctor = clientOf(service);
  const { id, secret } = await proctor.webhooks.create({ url: receiver.url, types: ["job.succeeded"] });
  const job = await proctor.submit({ runs: [pretended()] });
  const [delivery] = await until("the delivery", () =>
    receiver.received.length > 0 ? receiver.received : null,
  );
  const payload = await verifyWebhook(secret, delivery?.headers ?? {}, delivery?.body ?? "");
  expect(payload).toMatchObject({ type: "job.succeeded", data: { job_id: job.id } });
  expect((await all(proctor.webhooks.list())).map((one) => one.id)).toEqual([id]);
  const [sent] = await until("its record", async () => {
    const deliveries = await all(proctor.webhooks.deliveries(id));
    return deliveries[0]?.state === "delivered" ? deliveries : null;
  });
  expect((await proctor.webhooks.redeliver(id, sent?.id ?? "")).webhook_id).toBe(id);
  expect((await proctor.webhooks.rotate(id)).secret).not.toBe(secret);
  expect((await proctor.webhooks.enable(id)).status).toBe("ok");
  await proctor.webhooks.delete(id);
  await expect(proctor.webhooks.get(id)).rejects.toThrow(ProctorError);
});

it.concurrent("status, hardware and usage have the fields that the client promises", async () => {
  await using service = await startService();
  const proctor = clientOf(service);
  const status = await proctor.status();
  expect(status).toMatchObject({
    accepting: true,
    queue: { depth: 0 },
    lyceum: { circuit: { state: "closed" } },
  });
  expect(status.lyceum.limits.execution).toHaveProperty("remaining");
  const types = await until("the catalogue", async () => {
    const { data } = await proctor.machineTypes();
    return data.length > 0 ? data : null;
  });
  expect(types[0]).toHaveProperty("price_per_hour");
  expect((await proctor.usage({ group: "key" })).total).toMatchObject({ executions: 0 });
});
