// `npm run chaos -- --seconds 480`: three instances on one PostgreSQL behind a balancer. Every 2 to 5 s one of them is
// killed, frozen, restarted with a wrong clock, or loses its way to the database, or PostgreSQL itself stops. Then
// everything must be as promised, and at rest within 60 s of the last fault.
import { parseArgs } from "node:util";
import { runChaos } from "./story.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "480" },
    instances: { type: "string", default: "3" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    /** So many times the usual submissions. */
    pace: { type: "string", default: "1" },
    limit: { type: "string" },
    keep: { type: "boolean", default: false },
  },
});

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

const seed = whole("seed", values.seed);
const seconds = whole("seconds", values.seconds);
const limit = values.limit === undefined ? null : { max: whole("limit", values.limit), windowMs: 5_000 };
let line = "";
const progress = setInterval(() => console.log(line), 15_000);
const { isGood, report } = await runChaos({
  seed,
  instances: whole("instances", values.instances),
  disturbedSeconds: seconds,
  limit,
  pace: whole("pace", values.pace),
  keep: values.keep,
  onProgress: (text) => {
    line = text;
  },
});
clearInterval(progress);
console.log(`${isGood ? "good" : "BAD "} seed ${seed}: ${report}`);
process.exit(isGood ? 0 : 1);

function whole(name: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  console.error(`--${name} is not a whole number`);
  process.exit(2);
}
