// Events over HTTP: in order, without gap or repeat over every way of breaking off, and only to whom they belong.
import { expect, test } from "vitest";
import { HEARTBEAT_MS } from "../../src/http/events/sse.ts";
import { apiKeys, image, type Json, type Service, startService } from "../support/service.ts";
import { type Heard, heldTimers, type Listener, listen } from "./listener.ts";

const json = { Accept: "application/json" };
const bad = image("status=failed");
const slow = image("delay=50s");

/** The whole list, page by page. */
async function listed(service: Service, path: string, between: () => Promise<unknown> = async () => {}) {
  const events: Json[] = [];
  for (let cursor = ""; ; ) {
    const answer = await service.admin.get(`${path}?limit=7${cursor}`, json);
    expect(answer.status).toBe(200);
    events.push(...answer.body.data);
    if (answer.body.next_cursor === null) return events;
    cursor = `&cursor=${answer.body.next_cursor}`;
    await between();
  }
}

const hear = (service: Service, key: keyof typeof apiKeys, path: string, last?: string): Promise<Listener> =>
  listen(service.url() + path, apiKeys[key], last === undefined ? {} : { "Last-Event-ID": last });

const seqs = (events: { seq: number }[]) => events.map(({ seq }) => seq);
const dataOf = (heard: Heard[]) => heard.map(({ data }) => data);

async function take(listener: Listener, count: number): Promise<Heard[]> {
  const heard: Heard[] = [];
  while (heard.length < count) {
    const one = await listener.next();
    if (one === null) throw new Error(`the stream ended after ${heard.length}`);
    heard.push(one);
  }
  return heard;
}

test("a job's stream has all of its events, from the first to the last, and then ends", async () => {
  await using service = await startService();
  const { id } = await service.submit({ runs: [image(), image()] });
  const listener = await hear(service, "ann", `/v1/jobs/${id}/events`);
  expect(listener.response.status).toBe(200);
  expect(listener.response.headers.get("Content-Type")).toMatch(/^text\/event-stream/);
  expect(await listener.block()).toBe("retry: 2000\nid: 0");
  const heard = await listener.rest();
  for (const { id: last, type, data } of heard) expect([last, type]).toEqual([String(data.seq), data.type]);
  expect(heard[0]).toMatchObject({ type: "job.created", data: { job_id: id } });
  expect(heard.at(-1)).toMatchObject({ type: "job.succeeded", data: { job_id: id } });
  expect(heard[0]?.data).not.toHaveProperty("run_id");
  expect(dataOf(heard)).toEqual(await listed(service, `/v1/jobs/${id}/events`));
});

test("a run's events are the events of its job that name the run, in the stream and in the list", async () => {
  await using service = await startService();
  const { id } = await service.submit({ runs: [image(), image()] });
  const [run] = await service.ended(id);
  const path = `/v1/jobs/${id}/events?run_id=${run?.id}`;
  const heard = dataOf(await (await hear(service, "ann", path)).rest());
  const all = await listed(service, `/v1/jobs/${id}/events`);
  expect(heard).toEqual(all.filter(({ run_id }) => run_id === run?.id));
  expect(heard.length).toBeGreaterThan(4);
  expect((await service.ann.get(`${path}&limit=100`, json)).body.data).toEqual(heard);
  expect((await service.ann.get(`/v1/events?run_id=${run?.id}`, json)).status).toBe(422);
});

test("a reader that resumes with Last-Event-ID misses and repeats nothing, wherever the stream broke", async () => {
  await using service = await startService();
  const { id } = await service.submit({ runs: [image(), image()] });
  const heard: Heard[] = [];
  for (;;) {
    const listener = await hear(service, "ann", `/v1/jobs/${id}/events`, heard.at(-1)?.id ?? "0");
    const one = await listener.next();
    listener.leave();
    if (one === null) break;
    heard.push(one);
  }
  expect(heard.at(-1)?.type).toBe("job.succeeded");
  expect(dataOf(heard)).toEqual(await listed(service, `/v1/jobs/${id}/events`));
});

test("a restart leaves no gap and repeats nothing, and the former stream ends with the time to reconnect", async () => {
  await using service = await startService();
  const before = await hear(service, "admin", "/v1/events");
  const first = await service.submit({ runs: [image()] });
  const heard = await take(before, 2);
  await service.ended(first.id);
  const [rest] = await Promise.all([before.rest(), service.restart()]);
  heard.push(...rest);
  const second = await service.submit({ runs: [image()] });
  await service.ended(second.id);
  const after = await hear(service, "admin", "/v1/events", heard.at(-1)?.id);
  const all = await listed(service, "/v1/events");
  heard.push(...(await take(after, all.length - heard.length)));
  after.leave();
  expect(dataOf(heard)).toEqual(all);
  expect(seqs(all)).toEqual(all.map((_, index) => index + 1));
});

test("a stream says that the service stops", async () => {
  await using service = await startService();
  const listener = await hear(service, "ann", "/v1/events");
  expect(await listener.block()).toBe("retry: 2000\nid: 0");
  await service.stop();
  expect(await listener.block()).toBe(": the service is shutting down; reconnect\nretry: 2000");
  expect(await listener.block()).toBeNull();
});

test("a stream of all events begins with new events, and sends its position at once", async () => {
  await using service = await startService();
  const { id } = await service.submit({ runs: [image()] });
  await service.ended(id);
  const newest = seqs(await listed(service, "/v1/events")).at(-1);
  const listener = await hear(service, "reader", "/v1/events");
  expect(await listener.block()).toBe(`retry: 2000\nid: ${newest}`);
  const next = await service.submit({ runs: [image()] });
  expect(await listener.next()).toMatchObject({ type: "job.created", data: { job_id: next.id } });
  listener.leave();
});

test("a submitter's stream has events of its own jobs only", async () => {
  await using service = await startService();
  const bobs = await hear(service, "bob", "/v1/events");
  const admins = await hear(service, "admin", "/v1/events");
  await service.run(image());
  const { body: own } = await service.bob.post("/v1/jobs", { runs: [image()] });
  const heard: Heard[] = [];
  while (heard.at(-1)?.type !== "job.succeeded") heard.push(...(await take(bobs, 1)));
  expect(new Set(dataOf(heard).map(({ job_id }) => job_id))).toEqual(new Set([own.id]));
  const all = await listed(service, "/v1/events");
  expect(dataOf(await take(admins, all.length))).toEqual(all);
  for (const listener of [bobs, admins]) listener.leave();

  const { data } = (await service.bob.get("/v1/events", json)).body;
  expect(data).toEqual(dataOf(heard));
  const foreign = data[0].job_id;
  expect((await service.ann.get(`/v1/jobs/${foreign}/events`)).status).toBe(404);
  expect((await service.ann.get(`/v1/jobs/${foreign}/events`, json)).status).toBe(404);
});

test("types are chosen by name or family, and an unknown type is refused by name", async () => {
  await using service = await startService();
  const { id } = await service.submit({ runs: [image()] });
  const listener = await hear(service, "ann", `/v1/jobs/${id}/events?types=job.*,run.succeeded`);
  const types = (await listener.rest()).map(({ type }) => type);
  expect(types).toEqual(["job.created", "job.active", "run.succeeded", "job.succeeded"]);
  const { data } = (await service.ann.get(`/v1/events?types=run.succeeded`, json)).body;
  expect(data.map(({ type }: Json) => type)).toEqual(["run.succeeded"]);
  for (const accept of ["application/json", "text/event-stream"]) {
    const refused = await service.ann.get("/v1/events?types=job.active,job.done", { Accept: accept });
    expect(refused).toMatchObject({ status: 422, body: { errors: [{ pointer: "query:types" }] } });
    expect(refused.body.errors[0].detail).toMatch(/^"job\.done" is not an event type/);
  }
});

test("an invalid or future Last-Event-ID gets a clear answer", async () => {
  await using service = await startService();
  const { id } = await service.submit({ runs: [slow] });
  for (const path of ["/v1/events", `/v1/jobs/${id}/events`]) {
    for (const [last, detail] of [
      ["seven", /whole number/],
      ["-1", /whole number/],
      ["1e3", /whole number/],
      ["9".repeat(15), /no event has this number yet, the newest has \d+;/],
    ] as const) {
      const byHeader = await service.ann.get(path, { "Last-Event-ID": last });
      expect(byHeader).toMatchObject({
        status: 422,
        body: { errors: [{ pointer: "header:Last-Event-ID" }] },
      });
      expect(byHeader.body.errors[0].detail).toMatch(detail);
      const byQuery = await service.ann.get(`${path}?last_event_id=${last}`, json);
      expect(byQuery).toMatchObject({ status: 422, body: { errors: [{ pointer: "query:last_event_id" }] } });
    }
  }
  // A browser that comes back repeats its URL: what it has heard since stands in the header.
  const listener = await listen(`${service.url()}/v1/jobs/${id}/events?last_event_id=0`, apiKeys.ann, {
    "Last-Event-ID": "1",
  });
  expect(await listener.next()).toMatchObject({ id: "2" });
  listener.leave();
});

test("a reader whose position was deleted is told so, and gets the remaining events", async () => {
  await using service = await startService();
  const { job_id } = await service.run(image());
  const newest = seqs(await listed(service, "/v1/events")).at(-1);
  expect((await service.ann.call("DELETE", `/v1/jobs/${job_id}`)).status).toBe(204);
  const { id } = await service.submit({ runs: [slow] });
  const listener = await hear(service, "ann", "/v1/events", "1");
  expect(await listener.block()).toBe(
    `: events up to ${newest} were deleted; the stream continues after them\nretry: 2000\nid: ${newest}`,
  );
  expect(await listener.next()).toMatchObject({ type: "job.created", data: { job_id: id } });
  listener.leave();
  expect(seqs((await service.ann.get("/v1/events?limit=1", json)).body.data)).toEqual([(newest ?? 0) + 1]);
});

test("a reader that has the last event of a job is told not to reconnect", async () => {
  await using service = await startService();
  const { job_id } = await service.run(image());
  const heard = await (await hear(service, "ann", `/v1/jobs/${job_id}/events`)).rest();
  const again = await hear(service, "ann", `/v1/jobs/${job_id}/events`, heard.at(-1)?.id);
  expect(again.response.status).toBe(204);
});

test("the events of a run that was retried by hand follow the end of its job", async () => {
  await using service = await startService();
  const run = await service.run(bad);
  const path = `/v1/jobs/${run.job_id}/events`;
  const last = (await (await hear(service, "ann", path)).rest()).at(-1);
  expect(last?.type).toBe("job.failed");
  const { body: retried } = await service.ann.post(`/v1/runs/${run.id}/retry`);
  const heard = await (await hear(service, "ann", path, last?.id)).rest();
  expect(heard[0]).toMatchObject({ type: "run.queued", data: { run_id: retried.id } });
  expect(heard.at(-1)).toMatchObject({ type: "run.failed", data: { run_id: retried.id } });
});

test("the list pages without a gap while new events arrive", async () => {
  await using service = await startService();
  await service.run(image());
  let more = 4;
  const all = await listed(service, "/v1/events", async () => {
    if (more-- > 0) await service.submit({ runs: [image(), slow] });
  });
  expect(all.length).toBeGreaterThan(12);
  expect(seqs(all)).toEqual(all.map((_, index) => index + 1));
  const since = await service.admin.get("/v1/events?limit=1000&last_event_id=5", json);
  expect(seqs(since.body.data).slice(0, 3)).toEqual([6, 7, 8]);
  const foreign = await service.admin.get("/v1/jobs?limit=1", json);
  const refused = await service.admin.get(`/v1/events?cursor=${foreign.body.next_cursor}`, json);
  expect(refused).toMatchObject({ status: 422, body: { errors: [{ pointer: "query:cursor" }] } });
});

test("a quiet stream sends heartbeats", async () => {
  const { timers, fire } = heldTimers(HEARTBEAT_MS);
  await using service = await startService({ surroundings: { timers } });
  const listener = await hear(service, "ann", "/v1/events");
  await listener.block();
  for (let beats = 0; beats < 3; beats++) {
    fire();
    expect(await listener.block()).toBe(": heartbeat");
  }
  listener.leave();
});

test("a HEAD request opens no stream", async () => {
  await using service = await startService();
  const answer = await service.ann.call("HEAD", "/v1/events");
  expect([answer.status, answer.headers.get("Content-Type")]).toEqual([
    200,
    "text/event-stream; charset=utf-8",
  ]);
});
