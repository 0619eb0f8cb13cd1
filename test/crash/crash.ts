// `npm run crash -- --kills 200 --database postgres`: the real process on a real database, killed at random moments under
// load while the emulator injects faults and the database is away or locked now and then; then everything that was acknowledged has to be there, no run may have two starts,
// and all runs have to end. Then the same with a small start limit, and with SIGTERM instead of SIGKILL.
import { parseArgs } from "node:util";
import { drainRepeatedly } from "./drain.ts";
import { disturbBoth } from "./kills.ts";
import { showProgress } from "./progress.ts";
import { runTrial, type TrialOptions } from "./trial.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "50" },
    database: { type: "string", default: "sqlite" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    seconds: { type: "string" },
    keep: { type: "boolean", default: false },
  },
});
const kills = whole("kills", values.kills);
const { database } = values;
if (database !== "sqlite" && database !== "postgres") {
  console.error("--database is neither sqlite nor postgres");
  process.exit(2);
}
const seed = whole("seed", values.seed);
const seconds = values.seconds === undefined ? undefined : whole("seconds", values.seconds);

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

const smallLimit = { max: 20, windowMs: 5_000 };
const results = [
  await trial("SIGKILL", kills, null),
  await trial("SIGKILL under a start limit", Math.ceil(kills / 10), smallLimit),
  await trial("SIGTERM", Math.ceil(kills / 20), null),
];
process.exit(results.every((isGood) => isGood) ? 0 : 1);

async function trial(name: string, times: number, limit: TrialOptions["limit"]): Promise<boolean> {
  const progress = showProgress(`${name} (seed ${seed})`, times);
  const { isGood, report } = await runTrial({
    seed,
    limit,
    database: database === "postgres" ? "postgres" : "sqlite",
    settleSeconds: 60,
    seconds: seconds ?? 180 + 8 * times,
    keep: values.keep,
    onProgress: progress.update,
    async disturb(scene) {
      if (name === "SIGTERM") return drainRepeatedly(times, scene);
      const { killed, outages } = await disturbBoth(scene, { kills: times, onKill: progress.count });
      return `${killed} of ${times} kills, ${outages} outages of the database`;
    },
  });
  progress.end();
  console.log(`${isGood ? "good" : "BAD "} ${name}, seed ${seed}: ${report}\n`);
  return isGood;
}

function whole(name: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  console.error(`--${name} is not a whole number`);
  process.exit(2);
}
