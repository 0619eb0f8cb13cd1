// A stop in good order: it says that it drains, finishes what is under way, and is over at once when nothing is.
import { connect } from "node:net";
import { expect, it } from "vitest";
import { apiKeys, image, startService, until } from "../support/service.ts";

it("a start that is under way is finished before the stop resolves", async () => {
  await using service = await startService();
  const { id } = await service.submit({ runs: [image("answer=stall stall=500 delay=50s")] });
  await until("the start", () => service.emulator.executions().length === 1);
  await service.stop();
  const [execution] = service.rows("select phase, lyceum_execution_id as known from executions");
  expect(execution).toEqual({ phase: "watching", known: service.emulator.executions()[0]?.executionId });
  await service.restart();
  await service.ann.post(`/v1/jobs/${id}/cancel`);
  expect(await service.ended(id)).toMatchObject([{ status: "cancelled", attempts: 1 }]);
});

it("a request that is under way is answered, and its job is kept", async () => {
  await using service = await startService();
  const body = JSON.stringify({ runs: [image()] });
  const { port } = new URL(service.url());
  const socket = connect(Number(port), "127.0.0.1");
  let answer = "";
  socket.on("data", (chunk) => {
    answer += chunk;
  });
  const closed = new Promise((resolve) => socket.once("close", resolve));
  const head = `POST /v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${apiKeys.ann}\r\nContent-Length: ${body.length}\r\n`;
  socket.write(`${head}Expect: 100-continue\r\n\r\n`);
  await until("the request to be taken up", () => answer.includes("100 Continue"));
  const stopped = service.stop();
  socket.write(body);
  await stopped;
  await closed;
  expect(answer).toContain("HTTP/1.1 202");
  expect(service.rows("select count(*) as n from jobs")).toEqual([{ n: 1 }]);
  await service.restart();
});

it("a request that comes after the end is answered 503, and is no fault", async () => {
  await using service = await startService();
  await service.stop();
  const request = new Request("http://x/v1/jobs", { headers: { Authorization: `Bearer ${apiKeys.ann}` } });
  const answer = await service.handle(request);
  expect([answer.status, answer.headers.get("Retry-After")]).toEqual([503, "2"]);
  expect(await answer.json()).toMatchObject({ type: "urn:proctor:problem:database-unavailable" });
  expect(service.logLines.filter((line) => line.includes('"event":"fault"'))).toEqual([]);
  await service.restart();
});

it("/readyz answers 503 while the service drains", async () => {
  await using service = await startService();
  expect((await service.nobody.get("/readyz")).status).toBe(200);
  await service.submit({ runs: [image("answer=stall stall=700")] });
  await until("the start", () => service.emulator.executions().length === 1);
  const stopped = service.stop();
  const answer = await service.nobody.get("/readyz");
  expect(answer).toMatchObject({ status: 503, body: { type: "urn:proctor:problem:not-accepting" } });
  expect((await service.nobody.get("/livez")).status).toBe(200);
  await stopped;
  await service.restart();
});

it("a stop that takes longer than SHUTDOWN_GRACE ends anyway, and no run is lost", async () => {
  await using service = await startService({ settings: { SHUTDOWN_GRACE: "1s", IN_DOUBT_AFTER: "30s" } });
  const { id } = await service.submit({ runs: [image("answer=stall stall=2500 delay=3s")] });
  await until("the start", () => service.emulator.executions().length === 1);
  await service.stop();
  expect(service.logLines.at(-1)).toContain('"how":"late"');
  await service.restart();
  expect(await service.ended(id)).toMatchObject([{ status: "succeeded", attempts: 1 }]);
  expect(service.emulator.executions()).toHaveLength(1);
  expect(service.logLines.filter((line) => line.includes('"event":"fault"'))).toEqual([]);
  expect(service.logLines.filter((line) => line.includes('"event":"outlived"')).length).toBeGreaterThan(0);
});
