// `proctor logs`. Lyceum has logs only after the end, so following means waiting for them.
import type { Command } from "commander";
import { type Client, type LogEntry, ProctorError } from "../client/client.ts";
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
  /** Prefix of each line. */
  label: string;
}

export function addLogs(program: Command): void {
  remote(program.command("logs").description("print the log of a run, or of all runs of a job"))
    .argument("<id>", "id of a run or job")
    .option("-f, --follow", "wait until the log is complete; the exit code tells the run's status")
    .option("--color", "keep colours that the run printed")
    .action(action(logs));
}

async function logs(signal: AbortSignal, id: string, options: Options) {
  const client = connect(options);
  const runs = await runsOf(client, id, signal);
  const codes: number[] = [];
  for (const run of runs) codes.push(await printRun(client, run, signal, options));
  return codes.find((code) => code !== 0) ?? 0;
}

async function runsOf(client: Client, id: string, signal: AbortSignal): Promise<ShownRun[]> {
  if (id.startsWith("run_")) return [{ id, label: "" }];
  const runs = await Array.fromAsync(client.runs(id, { signal }));
  return runs.map((run) => ({
    id: run.id,
    label: runs.length === 1 ? "" : `${labelOf(run)} | `,
  }));
}

async function printRun(client: Client, run: ShownRun, signal: AbortSignal, options: Options) {
  const { follow } = options;
  const printNew = printer(run, options);
  if (follow !== true) {
    const log = await client.logs(run.id, { signal });
    printNew(log.entries);
    if (log.truncated) printError(`${run.id}: Lyceum keeps at most 10,000 lines; some are missing`);
    else if (!log.complete) printError(`${run.id}: the log may still grow`);
    return exitCodes.succeeded;
  }
  // Print new lines at each update, and the rest after the run's end.
  const printUpdate = async () => printNew((await storedEntries(client, run.id, signal)) ?? []);
  const ended = await client.waitRun(run.id, { signal, onUpdate: printUpdate, updateEveryMs: 2_000 });
  return exitCodeOf(ended);
}

async function storedEntries(client: Client, runId: string, signal: AbortSignal): Promise<LogEntry[] | null> {
  try {
    return (await client.logs(runId, { signal })).entries;
  } catch (error) {
    if (error instanceof ProctorError && error.code === "not-ready") return null;
    if (!(error instanceof ProctorError) || error.code !== "unavailable") throw error;
    printError(`${runId}: ${error.message}`);
    return null;
  }
}

/** Prints only new entries. A later read may have an additional line in the middle. */
function printer({ id, label }: ShownRun, { json, color }: Options): (entries: LogEntry[]) => void {
  const printed = new Map<string, number>();
  return (entries) => {
    const seen = new Map<string, number>();
    for (const entry of entries) {
      const key = JSON.stringify(entry);
      const count = (seen.get(key) ?? 0) + 1;
      seen.set(key, count);
      if (count <= (printed.get(key) ?? 0)) continue;
      printed.set(key, count);
      if (json === true) print(JSON.stringify({ run_id: id, ...entry }));
      else {
        const lines = formatLogs([entry]).replaceAll(/^(?=.)/gm, label);
        process.stdout.write(shownOn(process.stdout, lines, color));
      }
    }
  };
}
