// `proctor submit`: submits a script, an image or a job document, and can wait for the end.
import { type Command, InvalidArgumentError, Option } from "commander";
import { type Connection, connect, remote } from "./connection.ts";
import type { Gathered } from "./gather.ts";
import { action, exitCodeOf, printJson } from "./outcome.ts";
import { buildRequest, type JobOptions, seconds } from "./request.ts";
import { print, printError } from "./terminal.ts";
import { follow, type Style, styles } from "./view.ts";

interface Options extends Connection, JobOptions {
  idempotencyKey?: string;
  wait?: boolean;
  waitTimeout?: string;
  progress: Style;
}

export function addSubmit(program: Command): void {
  const command = program
    .command("submit")
    .description("submit a file.py with its local imports and requirements.txt, a job.json, or an --image")
    .argument("[file]", "file.py, job.json, or - for JSON on stdin")
    .argument("[args...]", "after --: arguments of the script, or the command of an --image");
  remote(command)
    .option("--name <name>", "name of the job")
    .option("--image <ref>", "run this image; the command follows after --")
    .option("--gpu <type>", "GPU such as a100; short for --execution-type gpu.a100")
    .option("--execution-type <profile>", "Lyceum's hardware profile; default cpu")
    .option("--timeout <duration>", "limit of each execution, such as 90s or 10m")
    .option("--env <name=value>", "environment variable; repeatable", pair)
    .option("--matrix <name=a,b,c>", "one run per value, and per combination when repeated", pair)
    .option("--retry <attempts[:classes]>", "attempts per run, such as 3 or 3:system_failure,timeout")
    .option("--priority <number>", "higher priorities start first", number)
    .option("--max-parallel <number>", "maximum number of runs alive at once", number)
    .option("--deadline <duration>", "time after which remaining runs are cancelled")
    .option("--budget <credits>", "no more runs start once this much is spent", number)
    .option("--webhook-url <url>", "receives the job's terminal event")
    .option("--metadata <json>", "any JSON, returned unchanged")
    .option("--idempotency-key <key>", "the same key returns the same job; default: a new key")
    .option("--wait", "wait for the end; the exit code tells the status")
    .option("--wait-timeout <duration>", "with --wait: wait no longer than this")
    .addOption(progressOption())
    .action(action(submit));
}

export function progressOption(): Option {
  return new Option("--progress <style>", "style of the progress on stderr").choices(styles).default("auto");
}

async function submit(signal: AbortSignal, file: string | undefined, args: string[], options: Options) {
  const { request, gathered } = buildRequest(file === undefined ? [] : [file, ...args], options);
  if (gathered !== null) printGathered(gathered);
  const client = connect(options);
  const job = await client.submit(request, { idempotencyKey: options.idempotencyKey, signal });
  // Print only the id on stdout, for `job=$(proctor submit …)`.
  if (options.json !== true) print(job.id);
  if (options.wait !== true) {
    if (options.json === true) printJson(job);
    return 0;
  }
  const timeoutMs =
    options.waitTimeout === undefined ? undefined : seconds(options.waitTimeout, "--wait-timeout") * 1_000;
  const style = options.json === true && options.progress === "auto" ? "none" : options.progress;
  const ended = await follow(client, job.id, { style, signal, timeoutMs });
  if (options.json === true) printJson(ended);
  return exitCodeOf(ended);
}

function printGathered({ files, requirements }: Gathered): void {
  const names = [...Object.keys(files), ...(requirements === null ? [] : ["requirements.txt"])];
  if (names.length === 0) return;
  const shown = names.slice(0, 10).join(", ");
  printError(`included: ${shown}${names.length > 10 ? ` and ${names.length - 10} more` : ""}`);
}

function pair(text: string, previous: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("write it as name=value");
  return { ...previous, [text.slice(0, at)]: text.slice(at + 1) };
}

function number(text: string): number {
  if (text.trim() === "" || !Number.isFinite(Number(text)))
    throw new InvalidArgumentError("must be a number");
  return Number(text);
}
