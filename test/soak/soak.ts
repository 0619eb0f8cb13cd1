// `npm run soak -- --minutes 10`: the real process under mixed load while the emulator injects faults all the time. In the
// end everything that was acknowledged has to be there and over, and the memory of the process has to have stayed flat.
import { parseArgs } from "node:util";
import { soak } from "./trial.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    database: { type: "string", default: "sqlite" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});
const minutes = Number(values.minutes);
const { database } = values;
if (!(minutes > 0 && minutes <= 600) || (database !== "sqlite" && database !== "postgres")) {
  console.error("--minutes is a number up to 600, --database is sqlite or postgres");
  process.exit(2);
}
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

const { isGood, report } = await soak({
  seed: Number(values.seed),
  database: database === "postgres" ? "postgres" : "sqlite",
  seconds: minutes * 60,
  onSample: (line) => console.log(line),
});
console.log(`${isGood ? "good" : "BAD "} soak of ${minutes} min, seed ${values.seed}: ${report}`);
process.exit(isGood ? 0 : 1);
