import fc from "fast-check";
import { expect, test } from "vitest";
import { parseDuration } from "../../src/lib/duration.ts";

test.each([
  ["500ms", 500],
  ["30s", 30_000],
  ["5m", 300_000],
  ["2h", 7_200_000],
  ["7d", 604_800_000],
  ["0s", 0],
])("%s is %i milliseconds", (text, durationMs) => {
  expect(parseDuration(text)).toBe(durationMs);
});

test.each(["", "30", "s", "-1s", "1.5h", "1 s", " 1s", "1S", "1w", "1h30m", "1e3s", "99999999999999999d"])(
  "%j is no duration",
  (text) => {
    expect(parseDuration(text)).toBeNull();
  },
);

test("any text is either no duration or a whole number of milliseconds", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^\d{1,20}(ms|s|m|h|d)$/)), (text) => {
      const durationMs = parseDuration(text);
      expect(durationMs === null || (Number.isSafeInteger(durationMs) && durationMs >= 0)).toBe(true);
    }),
  );
});
