// The queue has a bound: who would go beyond it is told to come back, and what was taken is kept.
import { expect, it } from "vitest";
import { image, startService, until } from "../support/service.ts";

it("a full queue refuses submissions until some of its runs have started", async () => {
  // One run starts, and with it the start limit is used up.
  await using service = await startService({
    settings: { SUBMIT_LIMIT: "1/1h" },
    surroundings: { maxQueued: 3 },
  });
  const submit = (key: string, runs: number) => {
    const body = { runs: Array.from({ length: runs }, () => image()) };
    return service.ann.post("/v1/jobs", body, { "Idempotency-Key": key });
  };
  const first = await submit("first", 4);
  expect(first.status).toBe(202);

  const refused = await submit("second", 1);
  expect(refused).toMatchObject({ status: 503, body: { type: "urn:proctor:problem:queue-full" } });
  expect(refused.headers.get("Retry-After")).toBe("60");
  expect((await submit("first", 4)).status).toBe(200);

  await service.ann.post(`/v1/jobs/${first.body.id}/cancel`);
  await service.restart();
  await until("room in the queue", async () => (await submit("second", 1)).status === 202);
});
