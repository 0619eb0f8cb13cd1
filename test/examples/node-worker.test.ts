// The worker in examples/node-worker against the real service.
import { expect, it, vi } from "vitest";
import type { JobRequest } from "../../src/client/request.ts";
import { apiKeys, image, startService } from "../support/service.ts";

const jobOf = (switches = "") => ({ runs: [image(switches)] }) as JobRequest;

it("a task becomes one job however often it is delivered, and a failed job fails the task", async () => {
  await using service = await startService();
  vi.stubEnv("PROCTOR_URL", service.url());
  vi.stubEnv("PROCTOR_API_KEY", apiKeys.ann);
  const { work } = await import("../../examples/node-worker/worker.ts");
  const task = { id: "1", job: jobOf() };
  const id = await work(task);
  expect(await work(task)).toBe(id);
  expect((await service.ann.get("/v1/jobs")).body.data).toHaveLength(1);
  await expect(work({ id: "2", job: jobOf("exit=1") })).rejects.toThrow(/job_\w+ failed/);
  vi.unstubAllEnvs();
});
