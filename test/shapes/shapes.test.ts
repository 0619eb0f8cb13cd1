// Every endpoint of Lyceum answered in forms that it does not have: some drawn anew each time, and all that were ever
// found to matter. `SHAPES=4000 npm exec -- vitest run test/shapes` draws more; `SHAPES_SEED=…` draws the same again.
import { beforeAll, describe, expect, test } from "vitest";
import { chapters, storyOf } from "./cases.ts";
import { type Failure, type Life, live } from "./life.ts";
import { drawStory } from "./story.ts";

const SHAPES = Number(process.env.SHAPES ?? 300);
const SEED = Number(process.env.SHAPES_SEED ?? 1);
const MAX_RUNS_PER_LIFE = 200;
const MAX_SILENCE_MS = 1_000;

describe.each(Object.entries(chapters))("%s:", (_, cases) => {
  let life: Life;
  beforeAll(async () => {
    life = await live(storyOf(cases));
  });

  test.each(cases.map(({ title }, nth) => [title, nth] as const))(
    "a run has its right fate and is started once although %s",
    (_title, nth) => {
      expect(life.failures.filter((failure) => failure.nth === nth)).toEqual([]);
    },
  );

  test("nothing fails in the service itself, and it answers all the time", () => {
    expect(life.failures.filter(({ nth }) => nth === null)).toEqual([]);
    expect(life.probe.longestMs).toBeLessThan(MAX_SILENCE_MS);
  });
});

test(`answers of any shape change no fate (${SHAPES} from seed ${SEED})`, {
  timeout: 1_800_000,
}, async () => {
  const failures: (Failure & { seed: number })[] = [];
  for (let seed = SEED, mutated = 0; mutated < SHAPES; seed++) {
    const life = await live(drawStory(seed, Math.min(MAX_RUNS_PER_LIFE, Math.ceil(SHAPES / 2))));
    mutated += life.mutated;
    failures.push(...life.failures.map((failure) => ({ seed, ...failure })));
    if (life.probe.longestMs >= MAX_SILENCE_MS)
      failures.push({ seed, nth: null, what: `silent for ${life.probe.longestMs} ms` });
    if (process.env.SHAPES_TELL)
      console.log(seed, JSON.stringify({ ...life, failures: life.failures.length }));
  }
  expect(failures).toEqual([]);
});
