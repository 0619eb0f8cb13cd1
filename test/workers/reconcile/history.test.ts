// Whatever Lyceum's history does to its pages: an execution that is in it is never said to be absent, and one that is not
// is told so in the end.
import fc from "fast-check";
import { expect, test } from "vitest";
import { answers } from "../../../src/lyceum/schema.ts";
import { createHistoryLookup, type LookupResult } from "../../../src/workers/reconcile/history-lookup.ts";
import { anExecution, NOW } from "../../domain/scene.ts";

const SECOND = 1_000;
const marker = (n: number) => `exe_${String(n).padStart(26, "0")}`;
const wanted = anExecution({ id: marker(0), lyceumExecutionId: null, submittedAt: NOW });

interface Row {
  id: string;
  name: string;
  at: number;
  isReadable: boolean;
}

interface Weather {
  clamp: number;
  order: "newest" | "oldest" | "none";
  total: "all" | "page" | "none";
  /** Every so many rows one has no id. */
  unreadable: number;
  /** Rows that come or go between two pages. */
  change: "nothing" | "added" | "removed";
  /** Calls between two changes. */
  pace: number;
  rows: number;
  /** Number of rows newer than the wanted row. */
  newer: number;
  /** Calls that are answered with a page of somebody else. */
  broken: number[];
}

const calm: Weather = {
  clamp: 100,
  order: "newest",
  total: "all",
  unreadable: 0,
  change: "nothing",
  pace: 1,
  rows: 300,
  newer: 0,
  broken: [],
};

/** Rows of others, one a second, with or without the one that is wanted. */
function historyOf(weather: Partial<Weather>, has: boolean) {
  const {
    clamp,
    order,
    total,
    unreadable,
    change,
    pace,
    rows: size,
    newer,
    broken,
  } = { ...calm, ...weather };
  const older = Math.max(0, size - newer);
  const isReadable = (n: number) => unreadable === 0 || n % unreadable !== 0;
  let rows: Row[] = Array.from({ length: newer + older }, (_, n) => ({
    id: `L${n}`,
    name: marker(n + 1),
    // The older ones were there long before the submission.
    at: n < newer ? NOW + (newer - n) * SECOND : NOW - 3_600_000 - n * SECOND,
    isReadable: isReadable(n),
  }));
  if (has) rows.splice(newer, 0, { id: "L-wanted", name: wanted.id, at: NOW, isReadable: true });
  if (order === "oldest") rows.reverse();
  if (order === "none")
    rows = rows
      .map((row, n) => ({ row, key: (n * 7_919) % 1_009 }))
      .sort((a, b) => a.key - b.key)
      .map(({ row }) => row);
  let calls = 0;
  const happen = () => {
    if (calls % pace !== 0) return;
    const id = `L-new-${calls}`;
    const at = NOW + 3_600_000 + calls;
    const added = { id, name: marker(10_000 + calls), at, isReadable: isReadable(calls) };
    if (change === "added") order === "oldest" ? rows.push(added) : rows.unshift(added);
    // A record that was deleted takes its row with it.
    const [kept] = rows.filter((row) => row.isReadable);
    if (change === "removed" && rows.length > 2)
      rows = rows.filter((row, n) => n !== 1 || row === kept || row.id === "L-wanted");
  };
  const lyceum = {
    async history({ limit, offset }: { limit: number; offset: number }) {
      calls++;
      if (broken.includes(calls)) return { type: "unreachable", detail: "a page" } as const;
      const page = rows.slice(offset, offset + Math.min(limit, clamp));
      const executions = page.map((row) =>
        row.isReadable
          ? { execution_id: row.id, file_name: row.name, status: "completed", created_at: row.at }
          : { nonsense: true },
      );
      const totals = { all: rows.length, page: page.length, none: undefined };
      const value = answers.history.parse({ executions, total_executions: totals[total] });
      happen();
      return { type: "ok", value } as const;
    },
  };
  return { lyceum, calls: () => calls };
}

async function search(weather: Partial<Weather>, has: boolean, looks = 150) {
  const { lyceum, calls } = historyOf(weather, has);
  let now = NOW;
  const past = createHistoryLookup(lyceum, "confirm", () => now);
  let found: LookupResult | undefined;
  for (let look = 1; look <= looks; look++) {
    found = (await past([wanted])).get(wanted.id);
    if (found?.state === "found" || found?.state === "absent")
      return { ...found, looks: look, calls: calls() };
    now += 15 * SECOND;
  }
  return { state: found?.state, looks, calls: calls() };
}

const anyWeather: fc.Arbitrary<Weather> = fc
  .record({
    clamp: fc.constantFrom(1, 2, 3, 5, 20, 50, 100),
    order: fc.constantFrom("newest", "oldest", "none"),
    total: fc.constantFrom("all", "page", "none"),
    unreadable: fc.constantFrom(0, 0, 1, 3, 20),
    change: fc.constantFrom("nothing", "added", "removed"),
    pace: fc.integer({ min: 1, max: 3 }),
    rows: fc.nat({ max: 250 }),
    newer: fc.nat({ max: 250 }),
    broken: fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 3 }),
  })
  // A server's largest page is a round number: a total of other pages is one of all rows.
  .map((weather) =>
    weather.clamp % 5 === 0 ? weather : { ...weather, total: weather.total === "none" ? "none" : "all" },
  );

/** Rows that move as fast as they can be read are never read to the end. */
const weathers = anyWeather.filter(
  ({ clamp, change, pace }) => change === "nothing" || (clamp >= 20 && pace > 1),
);

test("an execution that is in the history is found in any weather, and never said to be absent", async () => {
  await fc.assert(
    fc.asyncProperty(weathers, async (weather) => {
      expect(await search(weather, true)).toMatchObject({ state: "found" });
    }),
    { numRuns: 200 },
  );
});

test("one that is in a history whose rows move as fast as they can be read is never said to be absent", async () => {
  const moving = anyWeather.filter(({ change, clamp }) => change !== "nothing" && clamp > 1);
  await fc.assert(
    fc.asyncProperty(moving, async (weather) => {
      expect((await search(weather, true, 60)).state).not.toBe("absent");
    }),
    { numRuns: 200 },
  );
});

test("one that is not in the history is said to be absent in the end", async () => {
  // When many adjacent rows cannot be read, a shift of the other rows cannot be detected.
  const readable = weathers.filter(
    ({ unreadable, rows, newer, change }) =>
      unreadable === 0 || (unreadable > (change === "nothing" ? 1 : 3) && Math.max(rows, newer) > 1),
  );
  await fc.assert(
    fc.asyncProperty(readable, async (weather) => {
      expect(await search(weather, false)).toMatchObject({ state: "absent" });
    }),
    { numRuns: 200 },
  );
});

test.each<[string, Partial<Weather>, number]>([
  ["the newest rows come first", {}, 1],
  ["pages are clamped to 20", { clamp: 20, newer: 5 }, 1],
  ["the oldest rows come first", { order: "oldest", rows: 5_000 }, 2],
  ["there is one row", { rows: 1 }, 1],
  ["there are few rows", { rows: 61, newer: 61 }, 1],
  ["there are as many as a page may hold", { rows: 60, newer: 60 }, 2],
  ["there are none", { rows: 0 }, 1],
])("a search costs few calls if %s", async (_, weather, calls) => {
  expect(await search(weather, false)).toMatchObject({ state: "absent", looks: 1, calls });
});

test("a history of which no row can be read proves nothing", async () => {
  expect(await search({ unreadable: 1, rows: 30 }, false, 20)).toMatchObject({ state: "unanswered" });
});

test("a history that gives all of its rows at once, wherever a page is to begin, has been read to its end", async () => {
  const { lyceum } = historyOf({ rows: 60, newer: 60, total: "none" }, false);
  const whole = { history: ({ limit }: { limit: number }) => lyceum.history({ limit, offset: 0 }) };
  const past = createHistoryLookup(whole, "confirm", () => NOW);
  expect((await past([wanted])).get(wanted.id)).toMatchObject({ state: "absent" });
});

test("a bound that was hit is no answer, and the next look goes on behind it", async () => {
  const { lyceum, calls } = historyOf({ clamp: 20, newer: 600, rows: 1_600 }, true);
  const past = createHistoryLookup(lyceum, "confirm", () => NOW);
  const looks: (string | undefined)[] = [];
  for (let look = 0; look < 8; look++) looks.push((await past([wanted])).get(wanted.id)?.state);
  expect(looks.slice(0, 7)).toEqual(Array.from({ length: 7 }, () => "under way"));
  expect(calls()).toBe(40);
});

test("an execution that is wanted while a search is under way is told of by the next one", async () => {
  const { lyceum } = historyOf({ clamp: 20, newer: 200 }, false);
  const past = createHistoryLookup(lyceum, "confirm", () => NOW);
  const later = anExecution({ id: marker(77_777), lyceumExecutionId: null, submittedAt: NOW });
  await past([wanted]);
  const states: unknown[] = [];
  for (let look = 0; look < 6; look++) states.push((await past([wanted, later])).get(later.id)?.state);
  expect(states.indexOf("absent")).toBeGreaterThan(2);
});

test("a silence in which a search could not go on is no part of it", async () => {
  const { lyceum } = historyOf({ rows: 30, broken: [1, 2] }, false);
  let now = NOW;
  const past = createHistoryLookup(lyceum, "confirm", () => now);
  const look = async () => (await past([wanted])).get(wanted.id);
  for (let silent = 0; silent < 2; silent++) {
    expect(await look()).toMatchObject({ state: "unanswered" });
    now += 170 * SECOND;
  }
  expect(await look()).toEqual({ state: "absent", searchedMs: 0 });
});
