// Keys with their budgets and quotas.
import { afterAll, beforeAll, expect, it } from "vitest";
import { image, type Service, startService } from "../support/service.ts";

let service: Service;
beforeAll(async () => {
  service = await startService({
    settings: { KEY_BUDGETS: "ann:0.000001/7d,bob:5/1d", KEY_QUOTAS: "ann:100/7d:50" },
  });
});
afterAll(() => service.close());

it("a key's spending and submissions of the present window stand beside its limits", async () => {
  await service.run(image("delay=2s", { execution_type: "gpu.h100" }));
  const { data } = (await service.admin.get("/v1/keys")).body;
  expect(data.map(({ name, role }: { name: string; role: string }) => `${name} ${role}`)).toEqual([
    "ann submit",
    "bob submit",
    "reader read",
    "admin admin",
  ]);
  const week = 7 * 86_400_000;
  expect(data[0]).toMatchObject({
    budget: { window_ms: week, limit: 0.000001, reached: true },
    quota: { window_ms: week, limit: 100, used: 1, max_waiting: 50 },
  });
  const { total } = (await service.ann.get("/v1/usage")).body;
  expect(data[0].budget.spent).toBeCloseTo(total.cost.total, 9);
  expect(Date.parse(data[0].budget.resets_at) % week).toBe(0);
  expect(data[1]).toMatchObject({ budget: { limit: 5, spent: 0, reached: false }, quota: null });
  expect(data[3]).toMatchObject({ budget: null, quota: null });
});

it("a submitter sees its own key, and no answer shows a key itself", async () => {
  const { data } = (await service.bob.get("/v1/keys")).body;
  expect(data).toMatchObject([{ name: "bob", role: "submit" }]);
  expect((await service.reader.get("/v1/keys")).text).not.toContain("canary");
});
