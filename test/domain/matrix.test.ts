// Fan-out: how many combinations there are, which, in what order, and how much they hold.
import fc from "fast-check";
import { expect, test } from "vitest";
import { combinationCount, combinations, combinedLength } from "../../src/domain/matrix.ts";

const anyMatrix = fc.dictionary(
  fc.stringMatching(/^[A-Z_]{1,4}$/),
  fc.array(fc.string({ maxLength: 5 }), { minLength: 1, maxLength: 4 }),
  { minKeys: 1, maxKeys: 4 },
);

test("the last name varies fastest", () => {
  expect(combinations({ A: ["1", "2"], B: ["x", "y"] })).toEqual([
    { A: "1", B: "x" },
    { A: "1", B: "y" },
    { A: "2", B: "x" },
    { A: "2", B: "y" },
  ]);
});

test("each combination gives each name one of its values, and counts and lengths agree", () => {
  fc.assert(
    fc.property(anyMatrix, (matrix) => {
      const all = combinations(matrix);
      expect(all).toHaveLength(combinationCount(matrix));
      for (const one of all) {
        expect(Object.keys(one)).toEqual(Object.keys(matrix));
        for (const [name, value] of Object.entries(one)) expect(matrix[name]).toContain(value);
      }
      const lengths = all.flatMap((one) =>
        Object.entries(one).map(([name, value]) => name.length + value.length),
      );
      expect(combinedLength(matrix)).toBeCloseTo(
        lengths.reduce((sum, length) => sum + length, 0),
        6,
      );
    }),
  );
});
