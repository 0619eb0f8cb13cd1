// The parts of the operator's page that need no browser: colours of logs, layouts of sweeps, spans of time.
import { describe, expect, it } from "vitest";
import type {
  ApiKeys,
  Callback,
  Execution,
  Job,
  ProctorEvent,
  ResultRow,
  Run,
} from "../../src/client/client.ts";
import { ticksOf } from "../../src/dashboard/chart/axis.ts";
import { bucketsOf } from "../../src/dashboard/chart/buckets.ts";
import { between, luminance, textOn } from "../../src/dashboard/chart/colours.ts";
import { bytes, credits, duration } from "../../src/dashboard/format.ts";
import { axesOf, measures, pivot } from "../../src/dashboard/job/pivot.ts";
import { piecesOf, plain } from "../../src/dashboard/log/ansi.ts";
import { budgetConcerns, idleConcern, keyConcerns } from "../../src/dashboard/page/attention.ts";
import { marksOf } from "../../src/dashboard/run/marks.ts";
import { spansOf } from "../../src/dashboard/run/phases.ts";
import { idleStretches, samplesOf } from "../../src/dashboard/run/samples.ts";

describe("escape sequences of a log", () => {
  it("escape sequences of a log become classes, and nothing else of them is left", () => {
    expect(piecesOf("a \u001b[1;31mred\u001b[0m b")).toEqual([
      { text: "a ", style: "" },
      { text: "red", style: "fg1 bold" },
      { text: " b", style: "" },
    ]);
    expect(piecesOf("\u001b[38;5;196mx\u001b[39m\u001b[48;2;0;250;0my").map(({ style }) => style)).toEqual([
      "fg4",
      "bg2",
    ]);
    expect(plain("\u001b]8;;javascript:alert(1)\u0007link\u001b]8;;\u0007\u001b[2K\u001b[10;2Hx\u0007")).toBe(
      "linkx",
    );
  });

  it("a carriage return writes over what stands before it", () => {
    expect(plain(" 10 %\r 55 %\r100 %\r")).toBe("100 %");
  });

  it("an unfinished sequence, and one that is too long, cost no more than their length", () => {
    for (const text of ["\u001b[".repeat(50_000), `\u001b]${"x".repeat(500_000)}`, "\u001b".repeat(200_000)])
      expect(plain(text).length).toBeLessThanOrEqual(text.length);
  });
});

const row = (matrix: Record<string, string> | null, more: Partial<ResultRow> = {}): ResultRow => ({
  run_id: JSON.stringify(matrix),
  position: 0,
  name: null,
  matrix,
  status: "succeeded",
  attempts: 1,
  return_code: 0,
  duration_ms: 1_000,
  cost: 1,
  cost_source: "billed",
  hardware: null,
  gpu_utilization_percent: null,
  gpu_idle_share: null,
  energy_wh: null,
  error_code: null,
  error_reason: null,
  retry_of: null,
  outcome: "succeeded",
  ...more,
});
const cost = measures.cost as (typeof measures)[string];

describe("a sweep laid out by two values", () => {
  it("a sweep laid out by two values orders numbers by size, takes the mean over what is not shown, and knows the best", () => {
    const rows = [
      row({ LR: "0.1", SEED: "1", X: "a" }, { cost: 4 }),
      row({ LR: "0.1", SEED: "1", X: "b" }, { cost: 2 }),
      row({ LR: "0.01", SEED: "1", X: "a" }, { cost: 1 }),
      row({ LR: "0.003", SEED: "1", X: "a" }, { cost: 0.5, status: "failed" }),
    ];
    expect(axesOf(rows)[0]).toBe("LR");
    const table = pivot(rows, "LR", "SEED", cost);
    expect(table.xs).toEqual(["0.003", "0.01", "0.1"]);
    expect(table.cells[0]?.map(({ value }) => value)).toEqual([0.5, 1, 3]);
    expect([table.least, table.most]).toEqual([0.5, 3]);
    // A cheap run that failed is not the best.
    expect(table.best).toMatchObject({ x: "0.01", y: "1", value: 1 });
  });

  it("a sweep laid out by two values shows a retried run in the place of the one that it repeats", () => {
    const first = row({ LR: "0.1" }, { run_id: "first", cost: 9, status: "failed" });
    const second = row({ LR: "0.1" }, { run_id: "second", cost: 2, retry_of: "first" });
    const table = pivot([first, second], "LR", null, cost);
    expect(table.cells[0]?.[0]).toMatchObject({ value: 2, rows: [second] });
  });

  it("a sweep laid out by two values has cells without a value, and no best one, while nothing has ended", () => {
    const table = pivot([row({ LR: "0.1" }, { cost: null, status: "active" })], "LR", null, cost);
    expect(table.cells[0]?.[0]?.value).toBe(null);
    expect(table.best).toBe(null);
  });
});

const at = (second: number) => new Date(second * 1_000).toISOString();
const execution = (attempt: number, times: Partial<Execution>) =>
  ({ attempt, status: "completed", next_check_at: null, ...times }) as Execution;
const run = (more: Partial<Run>) =>
  ({
    status: "succeeded",
    outcome: "succeeded",
    attempts: 1,
    created_at: at(0),
    ended_at: null,
    executions: [],
    ...more,
  }) as Run;

describe("the phases of a run", () => {
  it("the phases of a run follow each other from the submission to the last artifact", () => {
    const whole = run({
      ended_at: at(40),
      executions: [
        execution(1, {
          submitted_at: at(5),
          accepted_at: at(6),
          started_at: at(10),
          ended_at: at(30),
          detected_at: at(31),
        }),
      ],
    });
    expect(spansOf(whole, 99_000).map(({ phase, from, to }) => [phase, from / 1_000, to / 1_000])).toEqual([
      ["queued", 0, 5],
      ["submitting", 5, 6],
      ["pending", 6, 10],
      ["running", 10, 30],
      ["noticing", 30, 31],
      ["collecting", 31, 40],
    ]);
  });

  it("the phases of a run grow until now while they have no end, and never run backwards", () => {
    const live = run({
      status: "active",
      outcome: null,
      executions: [
        execution(1, { submitted_at: at(5), accepted_at: at(6), started_at: at(4), next_check_at: at(60) }),
      ],
    });
    const spans = spansOf(live, 20_000);
    expect(spans.at(-1)).toMatchObject({ phase: "running", from: 6_000, to: 20_000, isOpen: true });
    for (const { from, to } of spans) expect(to).toBeGreaterThanOrEqual(from);
  });

  it("a run that waits for another attempt shows its first and its waiting", () => {
    const waiting = run({
      status: "queued",
      outcome: null,
      executions: [
        execution(1, {
          submitted_at: at(1),
          accepted_at: at(2),
          started_at: at(3),
          ended_at: at(4),
          detected_at: at(4),
        }),
      ],
    });
    expect(spansOf(waiting, 9_000).map(({ phase, attempt }) => `${attempt} ${phase}`)).toEqual([
      "1 queued",
      "1 submitting",
      "1 pending",
      "1 running",
      "2 queued",
    ]);
  });
});

it("text upon any colour of a scale stands out by 4.5 to 1", () => {
  for (const [low, high] of [
    [
      { r: 232, g: 240, b: 251 },
      { r: 29, g: 79, b: 156 },
    ],
    [
      { r: 28, g: 38, b: 52 },
      { r: 168, g: 205, b: 255 },
    ],
  ] as const)
    for (let share = 0; share <= 1; share += 0.01) {
      const ground = luminance(between(low, high, share)) + 0.05;
      const ratio = textOn(between(low, high, share)) === "#000" ? ground / 0.05 : 1.05 / ground;
      expect(ratio).toBeGreaterThan(4.5);
    }
});

it("idle stretches lie between samples that are idle both; samples that cannot be read are left out", () => {
  const samples = samplesOf([
    { timestamp: at(3), value: 2 },
    { timestamp: at(1), value: 80 },
    { timestamp: at(2), value: 1 },
    { timestamp: "never", value: 1 },
    { timestamp: at(4), value: 0 },
    { timestamp: at(5), value: 90 },
    { timestamp: at(6), value: 1 },
    null,
  ]);
  expect(samples.map(({ at: time }) => time)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(idleStretches(samples)).toEqual([{ from: 2, to: 4 }]);
  expect(samplesOf("no list")).toEqual([]);
});

it("a time axis has round steps, and at most as many as are asked for", () => {
  expect(ticksOf(4_800, 8)).toEqual([0, 1_000, 2_000, 3_000, 4_000]);
  for (const span of [1, 77, 5_000, 3_600_000, 86_400_000 * 30])
    expect(ticksOf(span, 8).length).toBeLessThanOrEqual(9);
});

it("figures are said as people say them, and what is not known is a dash", () => {
  expect([
    duration(140),
    duration(9_240),
    duration(61_000),
    duration(3_600_000 * 50),
    duration(null),
  ]).toEqual(["140 ms", "9.2 s", "1 min 1 s", "2 d 2 h", "–"]);
  expect([credits(0), credits(12.345), credits(0.0015), credits(null)]).toEqual([
    "0",
    "12.35",
    "0.0015",
    "–",
  ]);
  expect([bytes(0), bytes(999), bytes(1_500), bytes(69e9)]).toEqual(["0 B", "999 B", "1.5 kB", "69 GB"]);
});

describe("what needs a person", () => {
  const job = (more: object) =>
    ({ id: "job_a", name: "sweep", ended_at: null, budget: null, ...more }) as Job;

  it("what needs a person names a job whose budget is used up while it has not ended", () => {
    const budget = { limit: 1, spent: 1, reached: true };
    const concerns = budgetConcerns([job({ budget }), job({ budget, ended_at: at(1) }), job({})]);
    expect(concerns.map(({ text, href }) => [text, href])).toEqual([
      ["The budget of sweep is used up: it starts nothing more", "#/jobs/job_a"],
    ]);
  });

  it("what needs a person names a key whose budget is used up, and when it starts more", () => {
    const budget = { limit: 2, spent: 2.5, window_ms: 60_000, resets_at: at(60), reached: true };
    const keys = [
      { name: "ann", role: "submit", budget, quota: null },
      { name: "bob", role: "submit", budget: { ...budget, reached: false }, quota: null },
    ];
    const data = keys as ApiKeys["data"];
    expect(keyConcerns({ data, next_cursor: null }, Date.parse(at(0))).map(({ text }) => text)).toEqual([
      "The budget of the key ann is used up (2.50 of 2.00): more in 1 min",
    ]);
  });

  it("what needs a person adds up what idle GPUs cost, and says nothing when none was idle", () => {
    const finding = { code: "gpu_idle" as const, detail: "", cost: 4 };
    const idle = run({ id: "run_a", findings: [finding], gpu: { idle_share: 0.75 } as Run["gpu"], cost: 4 });
    expect(idleConcern([idle, run({ findings: [] })])?.text).toContain(
      "1 of the latest 2 runs: about 3.00 credits",
    );
    expect(idleConcern([run({ findings: [] })])).toBe(null);
  });
});

it("marks are the callbacks, the ends and the checks that found something, each with its attempt", () => {
  const executions = [execution(1, { id: "exe_a", ended_at: at(50), detected_at: at(80) })];
  const event = (type: string, ms: number) =>
    ({
      id: `${type} ${ms}`,
      type,
      execution_id: "exe_a",
      created_at: at(ms),
      data: {},
    }) as unknown as ProctorEvent;
  const callbacks = [
    { id: "cbk_a", execution_id: "exe_a", received_at: at(60), disposition: "received" },
    { id: "cbk_b", execution_id: "exe_of_another_run", received_at: at(61), disposition: "late" },
  ] as Callback[];
  const events = [
    event("run.active", 0),
    event("execution.submitting", 1),
    event("execution.accepted", 2),
    event("execution.system_failure", 80),
  ];
  const found = marksOf(run({ executions }), callbacks, events);
  expect(found.map(({ type, attempt, text }) => [type, attempt, text])).toEqual([
    ["end", 1, "ended at Lyceum"],
    ["callback", 1, "callback (received)"],
    ["check", 1, "check: system failure"],
  ]);
});

it("deliveries are counted in equal stretches from the first one until now", () => {
  const outcomes = [
    { at: 0, isGood: true },
    { at: 1, isGood: false },
    { at: 240, isGood: true },
  ];
  const buckets = bucketsOf(outcomes, 240);
  expect(buckets[0]).toEqual({ good: 1, bad: 1 });
  expect(buckets.at(-1)).toEqual({ good: 1, bad: 0 });
  expect(buckets.reduce((sum, { good, bad }) => sum + good + bad, 0)).toBe(3);
  expect(bucketsOf([], 240).every(({ good, bad }) => good + bad === 0)).toBe(true);
});
