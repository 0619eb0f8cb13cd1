// Sub-jobs of a GPU selection side by side.
import { expect, test } from "vitest";
import { compare, mergeSubJobs, type SubJob } from "../../src/domain/gpu-selection.ts";

const subJob = (id: string, more: Partial<SubJob>): SubJob => ({
  lyceum_execution_id: id,
  hardware: null,
  status: "completed",
  duration_ms: null,
  cost: null,
  cost_source: null,
  ...more,
});
const marks = (subJobs: SubJob[]) =>
  compare(subJobs).map(({ lyceum_execution_id: id, fastest, cheapest }) => [id, fastest, cheapest]);

test("the fastest sub-job stands first; the fastest and the cheapest are marked", () => {
  const slow = subJob("slow", { duration_ms: 9, cost: 0.1 });
  const fast = subJob("fast", { duration_ms: 2, cost: 0.3 });
  expect(marks([slow, fast])).toEqual([
    ["fast", true, false],
    ["slow", false, true],
  ]);
});

test("a failed sub-job is never marked, however quick and cheap, and stands last", () => {
  const failed = subJob("failed", { status: "failed", duration_ms: 1, cost: 0 });
  const fine = subJob("fine", { duration_ms: 5, cost: 1 });
  expect(marks([failed, fine])).toEqual([
    ["fine", true, true],
    ["failed", false, false],
  ]);
});

test("equal sub-jobs are marked together, and one with unknown values is never marked", () => {
  const [a, b] = ["a", "b"].map((id) => subJob(id, { duration_ms: 5, cost: 1 }));
  const silent = subJob("silent", {});
  expect(marks([silent, a as SubJob, b as SubJob])).toEqual([
    ["a", true, true],
    ["b", true, true],
    ["silent", false, false],
  ]);
  expect(marks([])).toEqual([]);
});

test("fields of a sub-job from an earlier record stay if a newer record lacks them", () => {
  const told = {
    ...subJob("a", {}),
    cost: 2,
    cost_source: "billed" as const,
    hardware: "gpu.a100",
    duration_ms: 5,
  };
  const silent = {
    ...subJob("a", {}),
    cost: null,
    cost_source: null,
    hardware: null,
    duration_ms: null,
    status: null,
  };
  expect(mergeSubJobs([told], [silent])).toEqual([told]);
  expect(mergeSubJobs([told], [{ ...told, cost: 1, cost_source: "estimated" }])).toEqual([told]);
  expect(mergeSubJobs([told], [{ ...told, cost: 3 }])).toEqual([{ ...told, cost: 3 }]);
  expect(mergeSubJobs([told], [subJob("b", {})])).toEqual([told, subJob("b", {})]);
  expect(mergeSubJobs([], [told])).toEqual([told]);
});
