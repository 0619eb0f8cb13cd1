// `proctor cancel` and `proctor retry`.
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

export function addCancelAndRetry(program: Command): void {
  remote(program.command("cancel").description("cancel a job or a run"))
    .argument("<id>", "id of a job or run")
    .addOption(
      new Option("--mode <mode>", "abort kills, stop ends gracefully")
        .choices(["abort", "stop"])
        .default("abort"),
    )
    .option("--wait", "wait for the end; the exit code tells the status")
    .action(action(cancel));
  remote(program.command("retry").description("retry a failed or cancelled run, or all such runs of a job"))
    .argument("<id>", "id of a run or job")
    .option("--wait", "wait for the end of all runs; the exit code tells the status")
    .action(action(retry));
}

async function cancel(signal: AbortSignal, id: string, { mode, wait, ...options }: CancelOptions) {
  const client = connect(options);
  const isRun = id.startsWith("run_");
  const cancelled = isRun
    ? await client.cancelRun(id, { mode, signal })
    : await client.cancel(id, { mode, signal });
  const result =
    wait === true ? await (isRun ? client.waitRun(id, { signal }) : client.wait(id, { signal })) : cancelled;
  if (options.json === true) printJson(result);
  else print(`${id} ${result.ended_at === null ? `${result.status}, is being cancelled` : result.status}`);
  return wait === true ? exitCodeOf(result) : 0;
}

async function retry(signal: AbortSignal, id: string, { wait, ...options }: RetryOptions) {
  const client = connect(options);
  const origins = id.startsWith("run_") ? [id] : await retryableRuns(client, id, signal);
  if (origins.length === 0) throw new UsageError(`${id} has no failed or cancelled run to retry`);
  const runs: Run[] = [];
  for (const origin of origins) runs.push(await client.retry(origin, { signal }));
  if (options.json !== true) for (const run of runs) print(run.id);
  const ended =
    wait === true ? await Promise.all(runs.map((run) => client.waitRun(run.id, { signal }))) : runs;
  if (options.json === true) printJson({ data: ended });
  if (wait !== true) return 0;
  const codes = ended.map(exitCodeOf);
  // Like a job: failed if any run has failed.
  return codes.includes(exitCodes.failed) ? exitCodes.failed : Math.max(...codes);
}

/** Failed or cancelled, and not retried yet. */
async function retryableRuns(client: Client, jobId: string, signal: AbortSignal): Promise<string[]> {
  const runs = await Array.fromAsync(client.runs(jobId, { signal }));
  const retried = new Set(runs.map((run) => run.retry_of));
  const ended = runs.filter(({ status }) => status === "failed" || status === "cancelled");
  return ended.map((run) => run.id).filter((id) => !retried.has(id));
}
