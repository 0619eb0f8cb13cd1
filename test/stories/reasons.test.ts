// The reason of a failure: found in the record that tells of the end, shown with the run, and granted a retry.
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Service, startService } from "../support/service.ts";

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

const python = (...lines: string[]) => ({ kind: "python", code: ["import sys", ...lines].join("\n") });
const outOfMemory =
  "raise RuntimeError('CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has 39.39 GiB in total')";

it.concurrent("a run shows the reason of its failure in its error, events and results", async () => {
  const { id } = await service.submit({ runs: [python("import no_such_module")] });
  const [run] = await service.ended(id);
  expect(run?.error).toMatchObject({ code: "failed", reason: "module_not_found" });
  const { data } = (await service.ann.get(`/v1/jobs/${id}/events?limit=100`, { Accept: "application/json" }))
    .body;
  const find = (type: string) => data.find((event: { type: string }) => event.type === type).data;
  expect(find("execution.failed")).toMatchObject({ reason: "module_not_found" });
  expect(find("run.failed").error).toMatchObject({ reason: "module_not_found" });
  const csv = await service.ann.get(`/v1/jobs/${id}/results`, { Accept: "text/csv" });
  const [names = "", values = ""] = csv.text.split("\r\n");
  expect(values.split(",")[names.split(",").indexOf("error_reason")]).toBe("module_not_found");
});

it.concurrent("a run is tried again for a reason that its policy names, and for no other", async () => {
  const retry = { max_attempts: 2, on: ["out_of_memory"] };
  const { id } = await service.submit({
    retry,
    runs: [python(outOfMemory), python("raise ValueError('bad learning rate')")],
  });
  const runs = await service.ended(id);
  expect(runs.map(({ attempts, error }) => [attempts, error?.reason])).toEqual([
    [2, "out_of_memory"],
    [1, null],
  ]);
});

it.concurrent("a reason is found before the retry is decided although the record is large", async () => {
  const run = await service.run(python("print('x' * 400_000)", outOfMemory), {
    retry: { max_attempts: 2, on: ["out_of_memory"] },
  });
  expect(run).toMatchObject({ attempts: 2, error: { reason: "out_of_memory" } });
});

it.concurrent("a policy with an unknown reason is refused with the field", async () => {
  const answer = await service.ann.post("/v1/jobs", {
    runs: [python()],
    retry: { max_attempts: 2, on: ["bad_luck"] },
  });
  expect(answer).toMatchObject({ status: 422, body: { errors: [{ pointer: "/retry/on/0" }] } });
});
