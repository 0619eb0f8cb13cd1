// `proctor jobs` and `proctor runs`: lists, newest first, with the filters of the API.
import type { Command } from "commander";
import type { Job, JobFilter, Run, RunFilter } from "../client/client.ts";
import { coloured, withColourOption } from "./colour.ts";
import { type Connection, connect, remote } from "./connection.ts";
import { action, UsageError } from "./outcome.ts";
import { columns } from "./results.ts";
import { print, shownOn } from "./terminal.ts";

interface Options extends Connection {
  limit: string;
  color?: boolean;
}

export function addLists(program: Command): void {
  listed(program.command("jobs").description("list jobs, newest first"))
    .option("--status <list>", "only with these statuses, separated by commas")
    .option("--name <name>", "only with exactly this name")
    .option("--api-key-name <name>", "only of this API key; for readers and administrators")
    .action(action(jobs));
  listed(program.command("runs").description("list the runs of a job, or of all jobs, newest first"))
    .argument("[job]", "id of a job")
    .option("--status <list>", "only with these statuses, separated by commas")
    .option("--outcome <outcome>", "only with this outcome")
    .option("--name <name>", "only with exactly this name")
    .option("--kind <kind>", "only of this kind")
    .option("--hardware <profile>", "only on this hardware profile")
    .option("--error-code <code>", "only with this error.code, such as timeout")
    .option("--reason <reason>", "only with this error.reason, such as out_of_memory")
    .option("--sort <order>", "of a job: position, duration, cost or ended_at; with - before it descending")
    .action(action(runs));
}

function listed(command: Command): Command {
  return withColourOption(remote(command))
    .option("--created-after <time>", "only created after this time, ISO 8601")
    .option("--created-before <time>", "only created before this time, ISO 8601")
    .option("-n, --limit <count>", "show at most so many", "50");
}

async function jobs(signal: AbortSignal, options: Options & Record<string, string | undefined>) {
  const { status, name, apiKeyName: key, createdAfter, createdBefore } = options;
  const query = { status, name, key, created_after: createdAfter, created_before: createdBefore };
  const filter = known(query) as JobFilter;
  const limit = limitOf(options);
  const rows = await first(
    connect(options).jobs(filter, { signal, limit: Math.min(limit, MAX_PAGE) }),
    limit,
  );
  show(options, rows, ["job", "name", "status", "done", "cost", "created"], (job: Job) => [
    job.id,
    job.name,
    job.status,
    `${Math.round(job.progress * 100)} %`,
    Number(job.cost.total.toPrecision(4)),
    job.created_at,
  ]);
  return 0;
}

async function runs(
  signal: AbortSignal,
  jobId: string | undefined,
  options: Options & Record<string, string | undefined>,
) {
  const { status, outcome, name, kind, hardware, reason, sort, errorCode, createdAfter, createdBefore } =
    options;
  const times = { created_after: createdAfter, created_before: createdBefore };
  const query = { status, outcome, name, kind, hardware, reason, sort, error_code: errorCode, ...times };
  const filter = known(query) as RunFilter;
  const limit = limitOf(options);
  const page = { signal, limit: Math.min(limit, MAX_PAGE) };
  const rows = await first(connect(options).runs(jobId ?? "all", { ...filter, ...page }), limit);
  show(options, rows, ["run", "name", "kind", "status", "exit", "time", "hardware", "error"], (run: Run) => [
    run.id,
    run.name,
    run.kind,
    run.status,
    run.return_code,
    run.duration_ms === null ? null : `${(run.duration_ms / 1_000).toFixed(2)} s`,
    run.hardware ?? run.execution_type,
    run.error?.reason ?? run.error?.code,
  ]);
  return 0;
}

/** The service's own limit of a page. */
const MAX_PAGE = 1_000;

function limitOf({ limit }: Options): number {
  const count = Number(limit);
  if (!Number.isInteger(count) || count < 1) throw new UsageError("--limit takes a whole number from 1");
  return count;
}

function known(query: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(query).flatMap(([name, value]) => (value ? [[name, value]] : [])));
}

async function first<T>(items: AsyncIterable<T>, count: number): Promise<T[]> {
  const rows: T[] = [];
  for await (const item of items) if (rows.push(item) >= count) break;
  return rows;
}

function show<T>(options: Options, rows: T[], head: string[], cellsOf: (row: T) => unknown[]): void {
  if (options.json === true) {
    for (const row of rows) print(JSON.stringify(row));
    return;
  }
  const lines = rows.map((row) => cellsOf(row).map((cell) => String(cell ?? "")));
  process.stdout.write(coloured(shownOn(process.stdout, columns([head, ...lines])), options.color));
}
