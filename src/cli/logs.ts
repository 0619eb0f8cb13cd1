// `proctor logs`: what runs have printed, or what they print as they go.
import type { Command } from "commander";
import PQueue from "p-queue";
import type { Client, LogEntry } from "../client/client.ts";
import { formatLogs } from "../domain/logs.ts";
import { type Connection, connect, remote } from "./connection.ts";
import { action, exitCodeOf, exitCodes } from "./outcome.ts";
import { labelOf } from "./progress.ts";
import { print, printError, shownOn } from "./terminal.ts";

interface Options extends Connection {
  follow?: boolean;
  color?: boolean;
}

interface ShownRun {
  id: string;
  label: string;
}

export function addLogs(program: Command): void {
  remote(program.command("logs").description("print the log of a run, or of all runs of a job"))
    .argument("<id>", "id of a run or job")
    .option(
      "-f, --follow",
      "print further lines as they come, to the end; the exit code tells the run's status",
    )
    .option("--color", "keep colours that the run printed")
    .action(action(logs));
}

async function logs(signal: AbortSignal, id: string, options: Options) {
  const client = connect(options);
  const runs = await runsOf(client, id, signal);
  if (options.follow !== true) {
    for (const run of runs) await printKnown(client, run, signal, options);
    return exitCodes.succeeded;
  }
  const queue = new PQueue({ concurrency: MAX_FOLLOWED });
  const codes = await queue.addAll(runs.map((run) => () => follow(client, run, signal, options)));
  return codes.find((code) => code !== 0) ?? 0;
}

/** Each followed log holds a connection. */
const MAX_FOLLOWED = 16;

async function runsOf(client: Client, id: string, signal: AbortSignal): Promise<ShownRun[]> {
  if (id.startsWith("run_")) return [{ id, label: "" }];
  const runs = await Array.fromAsync(client.runs(id, { signal }));
  return runs.map((run) => ({
    id: run.id,
    label: runs.length === 1 ? "" : `${labelOf(run)} | `,
  }));
}

async function printKnown(
  client: Client,
  run: ShownRun,
  signal: AbortSignal,
  options: Options,
): Promise<void> {
  const { entries, complete, truncated, note } = await client.logs(run.id, { signal });
  for (const entry of entries) printEntry(run, entry, options);
  if (note !== null) printError(`${run.id}: ${note}`);
  else if (truncated) printError(`${run.id}: Lyceum keeps at most 10,000 lines; some are missing`);
  else if (!complete) printError(`${run.id}: the log may still grow`);
}

async function follow(client: Client, run: ShownRun, signal: AbortSignal, options: Options): Promise<number> {
  const onNote = (detail: string) => printError(`${run.id}: ${detail}`);
  for await (const entry of client.followLogs(run.id, { signal, onNote })) printEntry(run, entry, options);
  return exitCodeOf(await client.run(run.id, { signal }));
}

function printEntry({ id, label }: ShownRun, entry: LogEntry, { json, color }: Options): void {
  if (json === true) print(JSON.stringify({ run_id: id, ...entry }));
  else {
    const lines = formatLogs([entry]).replaceAll(/^(?=.)/gm, label);
    process.stdout.write(shownOn(process.stdout, lines, color));
  }
}
