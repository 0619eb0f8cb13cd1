// `proctor wait` and `proctor watch`.
import type { Command } from "commander";
import type { Client, ProctorEvent } from "../client/client.ts";
import { type Connection, connect, remote } from "./connection.ts";
import { action, exitCodeOf, printJson } from "./outcome.ts";
import { seconds } from "./request.ts";
import { progressOption } from "./submit.ts";
import { print } from "./terminal.ts";
import { follow, type Style } from "./view.ts";

interface WaitOptions extends Connection {
  timeout?: string;
  progress: Style;
}

interface WatchOptions extends Connection {
  types?: string;
  after?: string;
  progress: Style;
}

export function addWatch(program: Command): void {
  remote(
    program.command("wait").description("wait for the end of a job or run; the exit code tells the status"),
  )
    .argument("<id>", "id of a job or run")
    .option("--timeout <duration>", "wait no longer than this")
    .addOption(progressOption())
    .action(action(wait));
  remote(program.command("watch").description("show a job's progress, or print events as they happen"))
    .argument("[job]", "id of a job; default: events of all visible jobs")
    .option("--types <types>", "only these events, such as job.*,run.failed")
    .option("--after <seq>", "only events after this number")
    .addOption(progressOption())
    .action(action(watch));
}

async function wait(signal: AbortSignal, id: string, options: WaitOptions) {
  const client = connect(options);
  const timeoutMs = options.timeout === undefined ? undefined : seconds(options.timeout, "--timeout") * 1_000;
  const style = options.json === true && options.progress === "auto" ? "none" : options.progress;
  const ended = id.startsWith("run_")
    ? await client.waitRun(id, { signal, timeoutMs })
    : await follow(client, id, { style, signal, timeoutMs });
  if (options.json === true) printJson(ended);
  else print(`${ended.id} ${ended.status}`);
  return exitCodeOf(ended);
}

/** On a terminal; elsewhere it prints events. */
async function watch(signal: AbortSignal, id: string | undefined, options: WatchOptions) {
  const client = connect(options);
  const isDrawn = options.progress === "auto" ? process.stdout.isTTY === true : options.progress === "live";
  if (id !== undefined && isDrawn && options.json !== true && options.types === undefined) {
    const followOptions = { style: "live", screen: process.stdout, signal } as const;
    return exitCodeOf(await follow(client, id, followOptions));
  }
  await printEvents(client, id, signal, options);
  return id === undefined ? 0 : exitCodeOf(await client.job(id, { signal }));
}

async function printEvents(
  client: Client,
  id: string | undefined,
  signal: AbortSignal,
  options: WatchOptions,
) {
  const { types, after, json } = options;
  const events = client.events(id ?? "all", { types: types?.split(","), lastEventId: after, signal });
  for await (const event of events) print(json === true ? JSON.stringify(event) : eventLine(event));
}

function eventLine({ created_at, type, job_id, run_id, execution_id, data }: ProctorEvent): string {
  const facts = Object.entries(data).flatMap(([name, value]) =>
    typeof value === "object" ? [] : [`${name}=${value}`],
  );
  const ids = [job_id, run_id, execution_id].filter((id) => id !== undefined);
  return [created_at, type.padEnd(20), ...ids, ...facts].join("  ");
}
