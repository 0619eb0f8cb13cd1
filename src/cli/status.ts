// `proctor status`: the status of the service, a job or a run.
import { setTimeout } from "node:timers/promises";
import type { Command } from "commander";
import type { Client, Job, Run, Status } from "../client/client.ts";
import { coloured, withColourOption } from "./colour.ts";
import { type Connection, connect, remote } from "./connection.ts";
import { action, printJson } from "./outcome.ts";
import { barLine, countsLine, MAX_RUN_LINES, runLine } from "./progress.ts";
import { print, shownOn } from "./terminal.ts";

export function addStatus(program: Command): void {
  withColourOption(
    remote(program.command("status").description("show the status of the service, or of a job or run")),
  )
    .argument("[id]", "id of a job or run")
    .option("-w, --watch", "print it again every 2 s, until Ctrl-C or the end of the job or run")
    .action(action(status));
}

async function status(
  signal: AbortSignal,
  id: string | undefined,
  options: Connection & { watch?: boolean; color?: boolean },
) {
  const client = connect(options);
  for (;;) {
    const { document, lines } = await lookUp(client, id, signal);
    const isOver = "ended_at" in document && document.ended_at !== null;
    // The picture before is replaced on a terminal; a pipe gets one after the other.
    if (options.watch === true && process.stdout.isTTY === true) process.stdout.write(CLEAR);
    if (options.json !== true)
      process.stdout.write(coloured(shownOn(process.stdout, `${lines.join("\n")}\n`), options.color));
    else if (options.watch === true) print(JSON.stringify(document));
    else printJson(document);
    if (options.watch !== true || isOver) return 0;
    await setTimeout(WATCH_EVERY_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

const CLEAR = "\u001b[H\u001b[2J";
const WATCH_EVERY_MS = 2_000;

async function lookUp(client: Client, id: string | undefined, signal: AbortSignal) {
  if (id === undefined) {
    const document = await client.status({ signal });
    return { document, lines: serviceLines(document) };
  }
  if (id.startsWith("run_")) {
    const document = await client.run(id, { signal });
    return { document, lines: runLines(document) };
  }
  const document = await client.job(id, { signal });
  return { document, lines: await jobLines(client, document, signal) };
}

async function jobLines(client: Client, job: Job, signal: AbortSignal): Promise<string[]> {
  const runs: Run[] = [];
  for await (const run of client.runs(job.id, { signal })) {
    if (runs.length === MAX_RUN_LINES) break;
    runs.push(run);
  }
  const head = job.name === null ? job.id : `${job.id}  ${job.name}`;
  const cost = `  cost ${job.cost.total} credits${job.cost.unpriced > 0 ? `, ${job.cost.unpriced} unknown` : ""}`;
  return [head, barLine(job, Date.now()), countsLine(job), cost, ...runs.map(runLine)];
}

function runLines(run: Run): string[] {
  const attempts = run.executions.map(({ attempt, status, lyceum_execution_id, error }) =>
    `    attempt ${attempt}  ${status}  ${lyceum_execution_id ?? ""}  ${error ?? ""}`.trimEnd(),
  );
  const findings = run.findings.map(({ detail }) => `    ${detail}`);
  return [`${run.id}  of ${run.job_id}`, runLine(run), ...attempts, ...findings];
}

function serviceLines({ version, accepting, queue, callbacks, lyceum, database }: Status): string[] {
  const waiting = queue.oldest_waiting_at === null ? "" : `, the oldest since ${queue.oldest_waiting_at}`;
  const limits = Object.entries(lyceum.limits).flatMap(([name, { limit, used, remaining, paused_until }]) => {
    const paused = paused_until === null ? "" : `, paused until ${paused_until}`;
    return limit === null && paused === ""
      ? []
      : [`${name}: ${used} of ${limit?.max ?? "∞"} used, ${remaining ?? "∞"} left${paused}`];
  });
  const { mode, health, received = 0, missed = 0, late = 0, duplicate = 0, rejected } = callbacks;
  const mebibytes = database.bytes === null ? "" : `, ${(database.bytes / 1_048_576).toFixed(1)} MiB`;
  return [
    `Proctor ${version}, ${accepting ? "accepting" : "draining"}`,
    `queue      ${queue.depth} waiting${waiting}; ${queue.live} alive, ${queue.collecting} collecting, ${queue.in_doubt} in doubt`,
    `callbacks  ${mode.replace("_", " ")}, ${health}; ${received} received, ${missed} missed, ${late} late, ${duplicate} duplicate, ${rejected} rejected`,
    `lyceum     circuit ${lyceum.circuit.state}${limits.map((limit) => `; ${limit}`).join("")}`,
    ...startLines(lyceum.starts),
    `database   ${database.kind}${mebibytes}`,
  ];
}

function startLines(starts: Status["lyceum"]["starts"]): string[] {
  if (starts === undefined || starts.state === "flowing") return [];
  return [`starts     paused since ${starts.since}, next try ${starts.next_probe_at}: ${starts.detail}`];
}
