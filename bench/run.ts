// `npm run bench` runs all scenarios, `npm run bench -- callback read` the named ones. Prints progress, then writes the
// figures as JSON and as a chart.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chart } from "./chart.ts";
import { type Bench, type Figure, type Scenario, Skipped } from "./measure.ts";
import { callback } from "./scenarios/callback.ts";
import { claims } from "./scenarios/claims.ts";
import { collect } from "./scenarios/collect.ts";
import { end } from "./scenarios/end.ts";
import { fsync } from "./scenarios/fsync.ts";
import { idle } from "./scenarios/idle.ts";
import { instances } from "./scenarios/instances.ts";
import { many } from "./scenarios/many.ts";
import { memory } from "./scenarios/memory.ts";
import { openloop } from "./scenarios/openloop.ts";
import { peers } from "./scenarios/peers.ts";
import { pipeline } from "./scenarios/pipeline.ts";
import { read } from "./scenarios/read.ts";
import { silences } from "./scenarios/silences.ts";
import { start } from "./scenarios/start.ts";
import { submit } from "./scenarios/submit.ts";
import { telemetry } from "./scenarios/telemetry.ts";
import { wal } from "./scenarios/wal.ts";
import { written } from "./scenarios/written.ts";
import { goalTable, markdownList, table, wrapped } from "./table.ts";

const scenarios: Scenario[] = [
  callback,
  written,
  openloop,
  submit,
  many,
  read,
  fsync,
  claims,
  telemetry,
  wal,
  start,
  memory,
  idle,
  collect,
  end,
  silences,
  pipeline,
  peers,
  instances,
];

interface Result {
  name: string;
  includes: string;
  taken: { at: string; rounds: number; seconds: number; node: string; cores: number; cpu: string };
  figures: Figure[];
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "2.5" },
    smoke: { type: "boolean", default: false },
    out: { type: "string" },
  },
});
const unknown = positionals.filter((name) => !scenarios.some((scenario) => scenario.name === name));
if (unknown.length > 0) {
  const known = scenarios.map((scenario) => scenario.name).join(", ");
  process.stderr.write(`there is no ${unknown.join(", ")}; there are ${known}\n`);
  process.exit(64);
}

const directory = mkdtempSync(join(tmpdir(), "proctor-bench-"));
process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

const bench: Bench = {
  rounds: values.smoke ? 1 : Number(values.rounds),
  seconds: values.smoke ? 0.3 : Number(values.seconds),
  size: (full, smoke) => (values.smoke ? smoke : full),
  directory,
  progress: showProgress,
  leaveOut(what) {
    clearProgress();
    process.stdout.write(`\nleft out: ${what}\n`);
  },
};
const wanted = scenarios.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const setting = { node: process.version, cores: cpus().length, cpu: cpus()[0]?.model ?? "unknown" };
const results: Result[] = [];
for (const { name, includes, run } of wanted) {
  try {
    const figures = await run(bench);
    clearProgress();
    process.stdout.write(`\n${name}: ${includes}\n${table(figures)}\n`);
    const taken = { at: new Date().toISOString(), rounds: bench.rounds, seconds: bench.seconds, ...setting };
    results.push({ name, includes, taken, figures });
  } catch (error) {
    clearProgress();
    const isSkipped = error instanceof Skipped;
    if (!isSkipped) process.exitCode = 1;
    const detail = error instanceof Error ? error.message : String(error);
    process.stdout.write(`\n${name}: ${isSkipped ? "skipped" : "FAILED"}, ${detail}\n`);
  }
}

const out = values.out ?? (values.smoke ? "data/bench-smoke" : "data/bench");
mkdirSync(out, { recursive: true });
// Figures that were not measured this time stay as they were.
const all = scenarios.flatMap(
  ({ name }) => [...results, ...before(out)].find((one) => one.name === name) ?? [],
);
writeFileSync(join(out, "results.json"), `${JSON.stringify(all, null, 2)}\n`);
writeFileSync(join(out, "chart.svg"), chart(all.flatMap((result) => result.figures)));
writeFileSync(join(out, "figures.md"), page(all));
process.stdout.write(`\nwritten to ${out}: results.json, chart.svg, figures.md\n`);
process.exit();

function page(all: Result[]): string {
  const sections = all.map(({ name, includes, taken, figures }) => {
    const { at, rounds, seconds, cpu, node } = taken;
    const setting = `${rounds} rounds of ${seconds} s, ${cpu}, Node ${node}, ${at.slice(0, 10)}.`;
    return `## ${name}\n\n${wrapped(includes)}\n\n${markdownList(figures)}\n\n${setting}\n`;
  });
  const head =
    "# Figures\n\nWritten by `npm run bench` and explained in [docs/performance.md](../../docs/performance.md).\n";
  const goals = goalTable(all.flatMap((result) => result.figures));
  return [head, "![How far each figure is from its goal](chart.svg)\n", `${goals}\n`, ...sections].join("\n");
}

function before(folder: string): Result[] {
  const file = join(folder, "results.json");
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : [];
}

function showProgress(what: string): void {
  const seconds = Math.round(process.uptime());
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[2K${what} (${seconds} s)` : `${what} (${seconds} s)\n`);
}

function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[2K");
}
