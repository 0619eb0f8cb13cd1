// Progress as text, on a terminal that is only a list of what was written.
import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { barLine, duration } from "../../src/cli/progress.ts";
import { follow } from "../../src/cli/view.ts";
import { createClient, type Job } from "../../src/client/client.ts";

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1_000).toISOString();
const now = Date.parse(at(100));
const counts = { queued: 0, active: 2, collecting: 0, succeeded: 1, failed: 1, cancelled: 0 };
const job = {
  id: "job_1",
  status: "active",
  progress: 0.5,
  counts,
  created_at: at(0),
  started_at: at(40),
  ended_at: null,
  queue: null,
} as Job;
const ended: Job = { ...job, status: "failed", progress: 1, ended_at: at(130) };

test("the bar tells the share, elapsed and remaining time", () => {
  expect(barLine(job, now)).toBe(
    `[${"█".repeat(12)}${"·".repeat(12)}]  50 %  active  1 min 40 s, about 1 min 0 s left`,
  );
  expect(barLine(ended, now)).toBe(`[${"█".repeat(24)}] 100 %  failed  2 min 10 s`);
  const queued: Job = { ...job, status: "queued", progress: 0, started_at: null };
  expect(barLine({ ...queued, queue: { position: 3, estimated_start_at: null } }, now)).toMatch(
    /position 3 in the queue$/,
  );
});

test("durations are short and clear, and never below nothing", () => {
  expect([-5, 1_234, 59_900, 61_000, 3_725_000].map(duration)).toEqual([
    "0.0 s",
    "1.2 s",
    "59 s",
    "1 min 1 s",
    "1 h 2 min",
  ]);
});

/** A service that answers with these states of the job in turn. */
function served(states: Job[], runs: object[]) {
  let asked = 0;
  return createClient({
    url: "http://proctor.test",
    apiKey: "key",
    fetch: async (input) =>
      String(input).includes("/runs")
        ? Response.json({ data: runs, next_cursor: null })
        : Response.json(states[Math.min(asked++, states.length - 1)]),
  });
}

const run = (name: string, status: string) => ({
  id: `run_${name}`,
  name,
  kind: "python",
  status,
  executions: [{ status: "running" }],
  return_code: null,
  duration_ms: null,
  detected_by: null,
  error: null,
  matrix: { LR: "0.1" },
});

function screenOf(columns: number) {
  const written: string[] = [];
  return { written, screen: { columns, write: (text: string) => written.push(text) } };
}

test("on a terminal the picture is drawn over, and no line is wider than the window", async () => {
  const { written, screen } = screenOf(40);
  const client = served(
    [job, ended],
    [run("a", "active"), run("a-name-that-is-much-too-long-for-a-line", "failed")],
  );
  await follow(client, "job_1", { style: "live", screen, updateEveryMs: 1 });
  expect(written).toHaveLength(2);
  expect(written[1]?.startsWith("\x1b[4A\x1b[2K[█")).toBe(true);
  const lines = stripVTControlCharacters(written.join("")).split("\n");
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(40);
});

test("elsewhere a line is printed for each change, and none twice", async () => {
  const { written, screen } = screenOf(80);
  await follow(served([job, job, ended], [run("a", "active")]), "job_1", {
    style: "plain",
    screen,
    updateEveryMs: 1,
  });
  expect(written[0]).toBe("  … LR=0.1 a     python   active (running)\n");
  expect(written.slice(1)).toEqual([expect.stringMatching(/100 % {2}failed/)]);
});

test("a run whose artifacts are still fetched is shown with its outcome", async () => {
  const { written, screen } = screenOf(80);
  const collecting = { ...run("a", "collecting"), outcome: "failed" };
  await follow(served([ended], [collecting]), "job_1", { style: "plain", screen });
  expect(written[0]).toBe("  ✘ LR=0.1 a     python   collecting (failed)\n");
});

test("many runs are folded to counts, and are not even asked for", async () => {
  const many = { ...counts, queued: 500 };
  const { written, screen } = screenOf(200);
  const client = served(
    [
      { ...job, counts: many },
      { ...ended, counts: { ...many, active: 0 } },
    ],
    [run("a", "active")],
  );
  await follow(client, "job_1", { style: "plain", screen, updateEveryMs: 1 });
  expect(written).toHaveLength(2);
  expect(written[0]).toContain("500 queued, 2 active, 1 succeeded, 1 failed");
});

test("a terminal without columns is taken for one of 80", async () => {
  const { written, screen } = screenOf(0);
  await follow(served([ended], [run("a", "failed")]), "job_1", { style: "live", screen });
  expect(stripVTControlCharacters(written.join(""))).toMatch(/100 % {2}failed {2}2 min 10 s\n/);
});
