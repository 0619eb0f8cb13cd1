import { expect, test } from "vitest";
import { readRetryAfter } from "../../src/lib/retry-after.ts";

const now = Date.UTC(1994, 10, 6, 8, 49, 7);

test.each([
  ["120", 120_000],
  ["0", 0],
  ["  7\t", 7_000],
  ["1.5", 1_500],
  ["0.001", 1],
  ["10000000000", 10_000_000_000_000],
  ["9".repeat(400), Number.MAX_SAFE_INTEGER],
  ["Sun, 06 Nov 1994 08:49:37 GMT", 30_000],
  ["Sunday, 06-Nov-94 08:49:37 GMT", 30_000],
  ["Sun Nov  6 08:49:37 1994", 30_000],
  ["Sun, 06 Nov 1994 08:49:00 GMT", 0],
])("Retry-After %j is read as %d ms", (value, ms) => {
  expect(readRetryAfter(value, now)).toBe(ms);
});

test.each([
  null,
  undefined,
  "",
  " ",
  "soon",
  "-5",
  "+5",
  "1,5",
  "5 s",
  "5, 10",
  "1e3",
  "0x10",
  "Infinity",
  // `Date.parse` takes all of these.
  "soon 5",
  "1 hour",
  "1994-11-06T08:49:37Z",
  "Nov 6, 1994",
  "Sun, 06 Nov 1994 08:49:37",
  "Sun, 06 Nov 1994 08:49:37 PST",
  "Sun, 99 Nov 1994 08:49:37 GMT",
])("Retry-After %j says no time", (value) => {
  expect(readRetryAfter(value, now)).toBeNull();
});
