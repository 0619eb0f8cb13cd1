// `proctor output`, `usage` and `gpus`: a run's output, what was spent, what hardware costs.
import type { Command } from "commander";
import { type Connection, connect, remote } from "./connection.ts";
import { action, exitCodes, printJson } from "./outcome.ts";
import { columns } from "./results.ts";
import { print, shownOn } from "./terminal.ts";

export function addAccount(program: Command): void {
  remote(program.command("output").description("print what a run wrote to stdout and stderr"))
    .argument("<run>", "id of a run")
    .action(action(output));
  remote(program.command("usage").description("show what was spent, by day, API key or hardware"))
    .option("--from <day>", "first day, such as 2026-01-31; default: 29 days before the last")
    .option("--to <day>", "last day; default: today")
    .option("--group <by>", "day, key or hardware", "day")
    .action(action(usage));
  remote(program.command("gpus").description("show hardware profiles with price and availability")).action(
    action(gpus),
  );
}

async function output(signal: AbortSignal, runId: string, options: Connection) {
  const found = await connect(options).output(runId, { signal });
  if (options.json === true) printJson(found);
  else {
    process.stdout.write(shownOn(process.stdout, found.stdout));
    process.stderr.write(shownOn(process.stderr, found.stderr));
  }
  return exitCodes.succeeded;
}

async function usage(
  signal: AbortSignal,
  options: Connection & { from?: string; to?: string; group: string },
) {
  const { from, to, group } = options;
  const query = { ...(from && { from }), ...(to && { to }), group: group as "day" | "key" | "hardware" };
  const found = await connect(options).usage(query, { signal });
  if (options.json === true) printJson(found);
  else {
    const rows = [...found.data, { ...found.total, [group]: "total" }] as Record<string, unknown>[];
    const head = [group, "executions", "cost"];
    const lines = rows.map((row) =>
      [row[group], row.executions, costOf(row)].map((cell) => String(cell ?? "")),
    );
    process.stdout.write(shownOn(process.stdout, columns([head, ...lines])));
    if (found.strays !== null && found.strays.executions > 0)
      print(
        `and ${found.strays.cost.total} credits for ${found.strays.executions} executions of unknown jobs, found by a restore`,
      );
  }
  return exitCodes.succeeded;
}

function costOf({ cost }: Record<string, unknown>): unknown {
  return typeof cost === "object" && cost !== null ? (cost as { total?: number }).total : cost;
}

async function gpus(signal: AbortSignal, options: Connection) {
  const found = await connect(options).machineTypes({ signal });
  if (options.json === true) printJson(found);
  else {
    const lines = found.data.map(({ hardware_profile, price_per_hour, available }) => [
      hardware_profile,
      price_per_hour === null ? "unknown" : `${price_per_hour} credits/h`,
      available === null ? "unknown" : available ? "yes" : "no",
    ]);
    process.stdout.write(shownOn(process.stdout, columns([["hardware", "price", "available"], ...lines])));
  }
  return exitCodes.succeeded;
}
