// Callbacks as they come in life: never, twice, too soon, too late, with any body. What is true is asked of Lyceum.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bodyProfiles } from "../../src/emulator/switches/life.ts";
import { image, type RunView, type Service, startService, until } from "../support/service.ts";

const onlyCallbacks = { POLL_INTERVAL_MIN: "1h", POLL_INTERVAL_MAX: "1h" };

const isAccepted = (run: RunView) => run.lyceum_execution_id !== null;

async function callbacksOf(service: Service, run: RunView) {
  const { body } = await service.ann.get(`/v1/executions/${run.executions[0]?.id}/callbacks`);
  return body.data;
}

describe("with a long poll interval", () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService({ settings: onlyCallbacks });
  });
  afterAll(() => service.close());

  it("a single callback is enough to learn of an end", async () => {
    const before = (await service.status()).callbacks;
    const run = await service.run(image());
    expect(run).toMatchObject({ status: "succeeded", detected_by: "callback" });
    const after = (await service.status()).callbacks;
    expect(after).toMatchObject({ mode: "callbacks", received: before.received + 1, missed: before.missed });
  });

  it("a duplicate callback gets the same answer and changes nothing", async () => {
    const before = (await service.status()).callbacks.duplicate;
    const run = await service.run(image("callback=double"));
    expect(run).toMatchObject({ status: "succeeded", attempts: 1 });
    const kept = await until("both callbacks", async () => {
      const all = await callbacksOf(service, run);
      return all.length === 2 && all;
    });
    expect(kept[1].disposition).toBe("duplicate");
    expect((await service.status()).callbacks.duplicate).toBe(before + 1);
    const [execution] = service.emulator.executions().slice(-1);
    expect(execution?.callbacks.map((attempt) => attempt.status)).toEqual([204, 204]);
    const ends = service.rows("select type from events where run_id = ? and type like 'run.s%'", run.id);
    expect(ends).toHaveLength(1);
  });

  it("a callback that arrives before the start's answer is stored and used", async () => {
    const run = await service.run(image("callback=eager answer=stall stall=100"));
    expect(run).toMatchObject({ status: "succeeded", detected_by: "callback" });
    expect(await callbacksOf(service, run)).toMatchObject([{ disposition: "early" }]);
  });

  it("after a callback the record is read again until it shows the end", async () => {
    const run = await service.run(image("callback=early finishing=300"));
    expect(run).toMatchObject({ status: "succeeded", detected_by: "callback" });
  });

  it("a callback that contradicts Lyceum's record is not believed", async () => {
    const { id } = await service.submit({ runs: [image("delay=20s")] });
    const { lyceum_execution_id: execution_id } = await service.soleRun(id, isAccepted);
    const started = service.emulator.executions().find((one) => one.executionId === execution_id);
    const [url = ""] = (started?.body.user_callback_urls ?? []) as string[];
    const asked = service.emulator.callCounts()["GET /execution/:id"] ?? 0;
    const claim = JSON.stringify({ execution_id, status: "completed", return_code: 0 });
    expect((await fetch(url, { method: "POST", body: claim })).status).toBe(204);
    await until(
      "the question to Lyceum",
      () => (service.emulator.callCounts()["GET /execution/:id"] ?? 0) > asked,
    );
    expect(await service.runsOf(id)).toMatchObject([{ status: "active", return_code: null }]);
    await service.ann.post(`/v1/jobs/${id}/cancel`);
  });

  it("every callback body that Lyceum might send is accepted and stored unchanged", async () => {
    const runs = bodyProfiles.map((profile) => image(`body=${profile}`, { name: profile }));
    const { id } = await service.submit({ runs });
    const ended = await service.ended(id);
    expect(ended.map((run) => run.status)).toEqual(runs.map(() => "succeeded"));
    expect(ended.map((run) => run.detected_by)).toEqual(runs.map(() => "callback"));
    const bodies = await Promise.all(
      ended.map(async (run) => [run.name, (await callbacksOf(service, run))[0]]),
    );
    const by = Object.fromEntries(bodies);
    expect(by.empty).toMatchObject({ body: "", content_type: null });
    expect(JSON.parse(by.minimal.body)).toMatchObject({ status: "completed" });
    expect(JSON.parse(by.record.body)).toMatchObject({ return_code: 0 });
    expect(JSON.parse(by.camel.body)).toMatchObject({ executionId: expect.any(String) });
    expect(JSON.parse(by.nested.body)).toHaveProperty("jobFinished");
    expect(by.form).toMatchObject({ content_type: "application/x-www-form-urlencoded" });
    expect(new URLSearchParams(by.form.body).get("status")).toBe("completed");
    expect(by.garbage.body_encoding).toBe("base64");
    expect([...Buffer.from(by.garbage.body, "base64")]).toEqual([0x7b, 0x22, 0xff, 0xfe, 0x00, 0x80, 0x2c]);
  });
});

describe("with a short poll interval", () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.close());

  it("polling finds an end whose callback was lost, and counts the callback as missed", async () => {
    const run = await service.run(image("callback=lost delay=100"));
    expect(run).toMatchObject({ status: "succeeded", detected_by: "poll", return_code: 0 });
    expect((await service.status()).callbacks).toMatchObject({ missed: 1, received: 0 });
  });

  it("a callback after the end is counted as late and changes nothing", async () => {
    const run = await service.run(image("callback=late lateness=600"));
    expect(run).toMatchObject({ status: "succeeded", detected_by: "poll" });
    await until("the late callback", async () => (await service.status()).callbacks.late === 1);
    expect(await callbacksOf(service, run)).toMatchObject([{ disposition: "late" }]);
    // A single run also has a link to its trace.
    expect((await service.ann.get(`/v1/runs/${run.id}`)).body).toEqual({ ...run, trace_url: null });
  });

  it("all of Lyceum's spellings of a status are understood", async () => {
    const words = ["plain", "capitals", "spaces", "unknown", "old"];
    const { id } = await service.submit({
      runs: words.map((word) => image(`words=${word} starting=60 delay=60`)),
    });
    const ended = await service.ended(id);
    expect(ended.map((run) => run.status)).toEqual(words.map(() => "succeeded"));
  });
});
