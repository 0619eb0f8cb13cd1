// A job's status follows from its runs'.
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Counts, jobStatus, progress } from "../../src/domain/job.ts";

const none: Counts = { queued: 0, active: 0, collecting: 0, succeeded: 0, failed: 0, cancelled: 0 };
const count = fc.nat({ max: 20 });
const anyCounts: fc.Arbitrary<Counts> = fc.record({
  queued: count,
  active: count,
  collecting: count,
  succeeded: count,
  failed: count,
  cancelled: count,
});

test.each([
  ["queued", { queued: 3 }],
  ["active", { queued: 2, active: 1 }],
  ["active", { active: 1 }],
  ["active", { collecting: 1, succeeded: 2 }],
  ["active", { queued: 1, succeeded: 1 }],
  ["active", { queued: 1, failed: 1 }],
  ["succeeded", { succeeded: 3 }],
  ["cancelled", { succeeded: 2, cancelled: 1 }],
  ["failed", { succeeded: 1, failed: 1, cancelled: 1 }],
] as const)("a job is %s with %j", (status, counts) => {
  expect(jobStatus({ ...none, ...counts }, "queued")).toBe(status);
});

test("a job that was active once never goes back to queued", () => {
  expect(jobStatus({ ...none, queued: 1 }, "active")).toBe("active");
});

test("a job is terminal exactly when all of its runs have ended", () => {
  fc.assert(
    fc.property(anyCounts, (counts) => {
      const open = counts.queued + counts.active + counts.collecting > 0;
      expect(["queued", "active"].includes(jobStatus(counts, "active"))).toBe(open);
    }),
  );
});

test("progress is the share of runs that have ended, and is whole exactly at the end", () => {
  expect(progress({ ...none, queued: 1, active: 1, collecting: 1, succeeded: 1 })).toBe(0.25);
  expect(progress(none)).toBe(1);
  fc.assert(
    fc.property(anyCounts, (counts) => {
      const open = counts.queued + counts.active + counts.collecting > 0;
      expect(progress(counts) >= 0 && progress(counts) <= 1).toBe(true);
      expect(progress(counts) === 1).toBe(!open);
    }),
  );
});
