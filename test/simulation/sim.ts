// npm run sim: many simulated lives, one seed each, on all cores. Prints progress and a rate; a failing seed prints how
// to see it again, and `--seed N` prints its whole trace. Exit code 1 when anything failed.
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { tellAll } from "./crew.ts";
import { weatherNames } from "./weather/sky.ts";
import { simulate } from "./world.ts";

const { values } = parseArgs({
  options: {
    /** The number of seeds, beginning with `from`. */
    seeds: { type: "string", default: "1000" },
    from: { type: "string" },
    /** Stop after this many seconds. */
    seconds: { type: "string", default: "3600" },
    /** Seeds at the same time. */
    workers: { type: "string", default: String(availableParallelism()) },
    /** These weathers in place of those that a seed draws, comma-separated. */
    weather: { type: "string" },
    /** 1, 2 or 3, in place of what a seed draws. */
    hosts: { type: "string" },
    /** One seed alone, with its trace. */
    seed: { type: "string" },
  },
});

const wanted = values.weather?.split(",").filter((name) => name !== "") ?? null;
const unknown = wanted?.filter((name) => !weatherNames.includes(name)) ?? [];
if (unknown.length > 0) {
  console.error(`no such weather: ${unknown.join(", ")}; there are: ${weatherNames.join(", ")}`);
  process.exit(64);
}
const hosts = values.hosts === undefined ? null : Number(values.hosts);
const wishes = { weathers: wanted, hosts };
process.exitCode = values.seed === undefined ? await many() : await one(Number(values.seed));

async function one(seed: number): Promise<number> {
  const story = await simulate(seed, wishes);
  console.log(story.trace.join("\n"));
  const again = await simulate(seed, wishes);
  const same = again.hash === story.hash ? "the same story twice" : "TWO DIFFERENT STORIES FROM ONE SEED";
  console.log(`seed ${seed}: ${story.failure ?? "holds"}; ${same}`);
  return story.failure === null && again.hash === story.hash ? 0 : 1;
}

async function many(): Promise<number> {
  const from = Number(values.from ?? Math.floor(Math.random() * 1e9));
  const startedAt = performance.now();
  const seconds = () => (performance.now() - startedAt) / 1_000;
  let failed = 0;
  let done = 0;
  let virtualMs = 0;
  let toldAt = 0;
  const tell = () => {
    toldAt = seconds();
    const rate = (done / toldAt).toFixed(1);
    const hours = (virtualMs / 3_600_000).toFixed(1);
    console.log(`${done} seeds, ${rate} seeds/s, ${hours} h of virtual time, ${failed} failed`);
  };
  await tellAll({
    workers: Number(values.workers),
    seeds: { from, count: Number(values.seeds) },
    wishes,
    isOver: () => seconds() >= Number(values.seconds),
    onStory(story) {
      done++;
      virtualMs += story.virtualMs;
      if (story.failure !== null) {
        failed++;
        const weather = story.weathers.join(", ") || "plain";
        console.log(`seed ${story.seed} (${weather}, hosts: ${story.hosts}): ${story.failure}`);
        const more = values.weather === undefined ? "" : ` --weather "${values.weather}"`;
        console.log(`  see it again: npm run sim -- --seed ${story.seed} --hosts ${story.hosts}${more}`);
      }
      if (seconds() - toldAt > 5) tell();
    },
  });
  tell();
  return failed === 0 ? 0 : 1;
}
