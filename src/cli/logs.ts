// `proctor logs`: what runs have printed. Lyceum gives logs after the end only, so following means waiting for them.
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

interface Shown {
  id: string;
  /** In front of each line. */
  label: string;
}

export function addLogs(program: Command): void {
  remote(program.command("logs").description("print the log of a run, or of all runs of a job"))
    .argument("<id>", "of a run or a job")
    .option("-f, --follow", "stay until the log is whole; the exit code then says how it went")
    .option("--color", "let colours that the run printed through to the terminal")
    .action(action(logs));
}

async function logs(signal: AbortSignal, id: string, options: Options) {
  const client = connect(options);
  const runs = await runsOf(client, id, signal);
  const codes: number[] = [];
  for (const run of runs) codes.push(await printRun(client, run, signal, options));
  return codes.find((code) => code !== 0) ?? 0;
}

async function runsOf(client: Client, id: string, signal: AbortSignal): Promise<Shown[]> {
  if (id.startsWith("run_")) return [{ id, label: "" }];
  const runs = await Array.fromAsync(client.runs(id, { signal }));
  return runs.map((run) => ({
    id: run.id,
    label: runs.length === 1 ? "" : `${labelOf(run)} | `,
  }));
}

async function printRun(client: Client, run: Shown, signal: AbortSignal, options: Options) {
  const { follow } = options;
  const printNew = printer(run, options);
  if (follow !== true) {
    const known = await client.logs(run.id, { signal });
    printNew(known.entries);
    if (known.truncated) printError(`${run.id}: Lyceum keeps 10,000 lines at most, some are missing`);
    else if (!known.complete) printError(`${run.id}: the log may still grow`);
    return exitCodes.succeeded;
  }
  // Whatever is there at each look, and the rest once the run is over.
  const look = async () => printNew((await whatIsThere(client, run.id, signal)) ?? []);
  const ended = await client.waitRun(run.id, { signal, onUpdate: look, updateEveryMs: 2_000 });
  return exitCodeOf(ended);
}

async function whatIsThere(client: Client, runId: string, signal: AbortSignal): Promise<LogEntry[] | null> {
  try {
    return (await client.logs(runId, { signal })).entries;
  } catch (error) {
    if (error instanceof ProctorError && error.code === "not-ready") return null;
    if (!(error instanceof ProctorError) || error.code !== "unavailable") throw error;
    printError(`${runId}: ${error.message}`);
    return null;
  }
}

/** Prints what it has not printed yet: a later read may know a line in the middle that an earlier one lacked. */
function printer({ id, label }: Shown, { json, color }: Options): (entries: LogEntry[]) => void {
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
