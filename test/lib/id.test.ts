// Ids sort by time, also within a millisecond and when the clock is set back.
import fc from "fast-check";
import { expect, test } from "vitest";
import { idOfNumber, idSource, isId, type Prefix, timeOfId } from "../../src/lib/id.ts";
import { NOW } from "../domain/scene.ts";

const prefixes: Prefix[] = ["job", "run", "exe", "whk", "evt", "cbk", "req"];

test("ids grow strictly, whatever the clock does", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -10_000, max: 10_000 }), { maxLength: 100 }), (jumps) => {
      let now = NOW;
      const newId = idSource({ now: () => now, monotonic: () => 0 });
      const ids = jumps.map((jump) => {
        now += jump;
        return newId("exe");
      });
      expect(ids).toEqual([...new Set(ids)].sort());
    }),
  );
});

test("ten thousand ids within one millisecond are all different and in order", () => {
  const newId = idSource({ now: () => NOW, monotonic: () => 0 });
  const ids = Array.from({ length: 10_000 }, () => newId("run"));
  expect(ids).toEqual([...new Set(ids)].sort());
});

test("a later source makes later ids, so that a restart does not disturb the order", () => {
  const at = (now: number) => idSource({ now: () => now, monotonic: () => 0 })("job");
  expect(at(NOW) < at(NOW + 1)).toBe(true);
});

test.each(prefixes)("a new %s id is one of its prefix and of no other", (prefix) => {
  const id = idSource({ now: () => NOW, monotonic: () => 0 })(prefix);
  expect(prefixes.filter((other) => isId(id, other))).toEqual([prefix]);
});

test("given numbers instead of chance make the same ids again", () => {
  const source = () => idSource({ now: () => NOW, monotonic: () => 0 }, () => 0.5);
  expect(source()("evt")).toBe(source()("evt"));
});

test("the ids of numbered things sort by time and number, and differ if either does", () => {
  const numbers = [1, 2, 31, 32, 33, 1_000_000, 2 ** 40];
  const ids = [NOW, NOW + 1].flatMap((at) => numbers.map((number) => idOfNumber("evt", at, number)));
  expect(ids).toEqual([...new Set(ids)].sort());
  expect(ids.every((id) => isId(id, "evt"))).toBe(true);
  expect(timeOfId(ids[0] as string)).toBe(NOW);
});

test.each([
  "",
  "exe_",
  "exe_01j6p",
  "exe_01J6PZ6Y000000000000000000",
  "exe_01j6pz6y00000000000000000u",
  "exe_01j6pz6y000000000000000000\n",
])("%j is no id", (text) => {
  expect(isId(text, "exe")).toBe(false);
});
