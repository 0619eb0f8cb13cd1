// Callbacks: bodies, retries, and all the ways in which they can come wrong.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openScene, type Scene, until } from "./scene.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
beforeEach(async () => {
  await scene.emulator.reset();
  scene.receiver.received.length = 0;
  scene.receiver.whileWaiting(async () => {});
});
afterAll(() => scene.close());

const { stringify } = JSON;
const run = (directive: string, url = scene.receiver.url) =>
  scene.image({ docker_run_env: `EMULATOR=${directive}`, user_callback_urls: [url] });
const attempts = (id: string) => scene.emulator.executions().find((one) => one.executionId === id)?.callbacks;
const received = () => scene.receiver.received;

describe("the body of a callback", () => {
  const shapes: [string, string | undefined, (text: string, id: string) => boolean][] = [
    ["empty", undefined, (text) => text === ""],
    [
      "minimal",
      "application/json",
      (text, id) => text === stringify({ execution_id: id, status: "completed" }),
    ],
    ["record", "application/json", (text) => JSON.parse(text).stdout.startsWith("emulator: pretended")],
    ["camel", "application/json", (text, id) => text === stringify({ executionId: id, status: "completed" })],
    ["nested", "application/json", (text, id) => JSON.parse(text).jobFinished.job.id === id],
    [
      "form",
      "application/x-www-form-urlencoded",
      (text, id) => text === `execution_id=${id}&status=completed`,
    ],
    ["garbage", "application/json", (text) => text.startsWith('{"')],
  ];

  it.each(shapes)(
    "the body of a callback can be %s, and a header says that it is invented",
    async (profile, type, fits) => {
      const { body } = await run(`body=${profile}`);
      await until(() => received().length === 1);
      const [callback] = received();
      expect(callback?.headers["x-emulator-invented"]).toBe("callback body");
      expect(callback?.headers["content-type"]).toBe(type);
      expect(fits(callback?.body.toString() ?? "", body.execution_id)).toBe(true);
    },
  );

  it("the form of a callback can be drawn for each run, equally for equal seeds", async () => {
    const profiles = async () => {
      await scene.emulator.reset();
      for (let i = 0; i < 6; i++) await run("body=any");
      await until(() => scene.emulator.executions().every(({ callbacks }) => callbacks.length === 1));
      return scene.emulator.executions().map(({ callbacks }) => callbacks[0]?.profile);
    };
    const first = await profiles();
    expect(new Set(first).size).toBeGreaterThan(1);
    expect(await profiles()).toEqual(first);
  });
});

describe("a callback", () => {
  it("a callback goes to every URL of the run", async () => {
    const { url } = scene.receiver;
    await scene.image({ user_callback_urls: [`${url}/a`, `${url}/b`] });
    await until(() => received().length === 2);
    expect(
      received()
        .map(({ path }) => path)
        .sort(),
    ).toEqual(["/hook/a", "/hook/b"]);
  });

  it("a callback is repeated until it is answered 2xx, as often as the switch allows", async () => {
    scene.receiver.answerWith(500, 302, 204);
    const { body } = await run("retries=5 backoff=1ms");
    await until(() => attempts(body.execution_id)?.length === 3);
    expect(attempts(body.execution_id)?.map(({ status }) => status)).toEqual([500, 302, 204]);

    scene.receiver.answerWith(500, 500);
    const second = await run("retries=1 backoff=0ms");
    await until(() => attempts(second.body.execution_id)?.length === 2);
    await until(() => received().length === 5);
  });

  it("a callback that cannot be delivered records its reason", async () => {
    const { body } = await run("retries=0", "http://127.0.0.1:1/nobody");
    await until(() => attempts(body.execution_id)?.length === 1);
    expect(attempts(body.execution_id)?.[0]?.problem).toContain("ECONNREFUSED");
  });

  it("a callback never leaves the loopback interface", async () => {
    const lines: string[] = [];
    const strict = await openScene({ log: (line) => lines.push(line) });
    for (const url of [
      "https://example.com/x",
      "http://10.0.0.1/x",
      "http://localhost.example.com",
      "nonsense",
    ]) {
      const { body } = await strict.image({ user_callback_urls: [url] });
      const sent = () =>
        strict.emulator.executions().find((one) => one.executionId === body.execution_id)?.callbacks;
      await until(() => sent()?.length === 1);
      expect(sent()?.[0]).toMatchObject({ attempt: 0, problem: "refused: not loopback" });
    }
    expect(lines).toHaveLength(4);
    await strict.close();
  });

  it("a callback can be lost", async () => {
    const lost = await run("callback=lost,double");
    await scene.ended(lost.body.execution_id);
    const next = await run("exit=0");
    await until(() => attempts(next.body.execution_id)?.length === 1);
    expect(attempts(lost.body.execution_id)).toEqual([]);
  });

  it("a callback can come twice", async () => {
    await run("callback=double");
    await until(() => received().length === 2);
  });

  it("a callback can come before the record is terminal", async () => {
    let seen = "";
    scene.receiver.whileWaiting(async () => {
      const [only] = scene.emulator.executions();
      seen = (await scene.get(`/execution/${only?.executionId}`)).body.status;
    });
    const { body } = await run("callback=early");
    expect(await scene.ended(body.execution_id)).toMatchObject({ status: "completed" });
    expect(seen).toBe("running");
    expect(attempts(body.execution_id)).toHaveLength(1);
  });

  it("a callback can come before the start is answered", async () => {
    let answered = false;
    let answeredAtArrival = true;
    scene.receiver.whileWaiting(async () => {
      answeredAtArrival = answered;
    });
    const { body } = await run("callback=eager delay=20ms");
    answered = true;
    expect(answeredAtArrival).toBe(false);
    await scene.ended(body.execution_id);
    expect(received()).toHaveLength(1);
  });

  it("a callback can come late", async () => {
    const { body } = await run("callback=late lateness=80ms");
    await until(() => attempts(body.execution_id)?.length === 1);
    const [execution] = scene.emulator.executions();
    const sentAt = execution?.callbacks[0]?.at ?? 0;
    expect(sentAt - (execution?.finishedAt ?? 0)).toBeGreaterThanOrEqual(70);
  });
});
