// `proctor submit`: hands in a script, an image or a job document, and on request stays until it has ended.
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
    .description("hand in a file.py with its local imports and requirements.txt, a job.json, or an --image")
    .argument("[file]", "file.py, job.json, or - for JSON on stdin")
    .argument("[args...]", "after --: arguments of the script, or with --image the command");
  remote(command)
    .option("--name <name>", "what the job is called")
    .option("--image <ref>", "run this image; the command follows after --")
    .option("--gpu <type>", "such as a100: short for --execution-type gpu.a100")
    .option("--execution-type <profile>", "Lyceum's hardware profile; default cpu")
    .option("--timeout <duration>", "of each execution, such as 90s or 10m (Lyceum's bound)")
    .option("--env <name=value>", "environment variable; repeatable", pair)
    .option("--matrix <name=a,b,c>", "one run per value, and per combination when repeated", pair)
    .option("--retry <attempts[:classes]>", "such as 3 or 3:system_failure,timeout")
    .option("--priority <number>", "higher starts first", number)
    .option("--max-parallel <number>", "runs alive at once", number)
    .option("--deadline <duration>", "from now; then what is left is cancelled")
    .option("--budget <credits>", "nothing more starts once this much is spent", number)
    .option("--webhook-url <url>", "is told of the end")
    .option("--metadata <json>", "given back as it is")
    .option("--idempotency-key <key>", "the same key gives the same job again; default a new one")
    .option("--wait", "stay until it has ended; the exit code says how")
    .option("--wait-timeout <duration>", "with --wait: stay no longer than this")
    .addOption(progressOption())
    .action(action(submit));
}

export function progressOption(): Option {
  return new Option("--progress <style>", "how progress is shown, on stderr").choices(styles).default("auto");
}

async function submit(signal: AbortSignal, file: string | undefined, args: string[], options: Options) {
  const { request, gathered } = buildRequest(file === undefined ? [] : [file, ...args], options);
  if (gathered !== null) say(gathered);
  const client = connect(options);
  const job = await client.submit(request, { idempotencyKey: options.idempotencyKey, signal });
  // The id alone on stdout: `job=$(proctor submit …)`.
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

function say({ files, requirements }: Gathered): void {
  const taken = [...Object.keys(files), ...(requirements === null ? [] : ["requirements.txt"])];
  if (taken.length === 0) return;
  const shown = taken.slice(0, 10).join(", ");
  printError(`taken along: ${shown}${taken.length > 10 ? ` and ${taken.length - 10} more` : ""}`);
}

function pair(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("write it as name=value");
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

function number(text: string): number {
  if (text.trim() === "" || !Number.isFinite(Number(text))) throw new InvalidArgumentError("it is a number");
  return Number(text);
}
