// `proctor cancel` and `proctor retry`: ending what is alive, and repeating what did not succeed.
import { type Command, Option } from "commander";
import type { Client, Run } from "../client/client.ts";
import { type Connection, connect, remote } from "./connection.ts";
import { action, exitCodeOf, exitCodes, printJson, UsageError } from "./outcome.ts";
import { print } from "./terminal.ts";

interface CancelOptions extends Connection {
  mode: "abort" | "stop";
  wait?: boolean;
}

interface RetryOptions extends Connection {
  wait?: boolean;
}

export function addSteering(program: Command): void {
  remote(program.command("cancel").description("end a job or a run"))
    .argument("<id>", "of a job or a run")
    .addOption(
      new Option("--mode <mode>", "kill, or end gracefully").choices(["abort", "stop"]).default("abort"),
    )
    .option("--wait", "stay until it has ended; the exit code says how")
    .action(action(cancel));
  remote(
    program
      .command("retry")
      .description("a new run for a run that failed or was cancelled, or for all of a job"),
  )
    .argument("<id>", "of a run or a job")
    .option("--wait", "stay until all of them have ended; the exit code says how")
    .action(action(retry));
}

async function cancel(signal: AbortSignal, id: string, { mode, wait, ...options }: CancelOptions) {
  const client = connect(options);
  const isRun = id.startsWith("run_");
  const asked = isRun
    ? await client.cancelRun(id, { mode, signal })
    : await client.cancel(id, { mode, signal });
  const stayed =
    wait === true ? await (isRun ? client.waitRun(id, { signal }) : client.wait(id, { signal })) : asked;
  if (options.json === true) printJson(stayed);
  else print(`${id} ${stayed.ended_at === null ? `${stayed.status}, is being cancelled` : stayed.status}`);
  return wait === true ? exitCodeOf(stayed) : 0;
}

async function retry(signal: AbortSignal, id: string, { wait, ...options }: RetryOptions) {
  const client = connect(options);
  const origins = id.startsWith("run_") ? [id] : await worthRetrying(client, id, signal);
  if (origins.length === 0) throw new UsageError(`no run of ${id} has failed or was cancelled`);
  const runs: Run[] = [];
  for (const origin of origins) runs.push(await client.retry(origin, { signal }));
  if (options.json !== true) for (const run of runs) print(run.id);
  const ended =
    wait === true ? await Promise.all(runs.map((run) => client.waitRun(run.id, { signal }))) : runs;
  if (options.json === true) printJson({ data: ended });
  if (wait !== true) return 0;
  const codes = ended.map(exitCodeOf);
  // As with a job: failed if any has.
  return codes.includes(exitCodes.failed) ? exitCodes.failed : Math.max(...codes);
}

/** Each origin once: what was retried already is judged by its newest run. */
async function worthRetrying(client: Client, jobId: string, signal: AbortSignal): Promise<string[]> {
  const runs = await Array.fromAsync(client.runs(jobId, { signal }));
  const retried = new Set(runs.map((run) => run.retry_of));
  const ended = runs.filter(({ status }) => status === "failed" || status === "cancelled");
  return ended.map((run) => run.id).filter((one) => !retried.has(one));
}
