// `proctor results`: one row per run, as a table, CSV or JSON.
import { writeFileSync } from "node:fs";
import type { Command } from "commander";
import type { ResultRow } from "../client/client.ts";
import { coloured, withColourOption } from "./colour.ts";
import { type Connection, connect, remote } from "./connection.ts";
import { action } from "./outcome.ts";
import { shownOn } from "./terminal.ts";

interface Options extends Connection {
  csv?: boolean;
  out?: string;
  color?: boolean;
}

export function addResults(program: Command): void {
  withColourOption(remote(program.command("results").description("show the result of each run of a job")))
    .argument("<job>", "id of a job")
    .option("--csv", "print CSV with all columns")
    .option("-o, --out <file>", "write to a file instead of stdout")
    .action(action(results));
}

async function results(signal: AbortSignal, jobId: string, { csv, json, out, color, ...options }: Options) {
  const client = connect(options);
  const text =
    csv === true
      ? await client.resultsCsv(jobId, { signal })
      : format(await Array.fromAsync(client.results(jobId, { signal })), json ?? false);
  if (out !== undefined) writeFileSync(out, text);
  else
    process.stdout.write(
      coloured(shownOn(process.stdout, text), color === true && csv !== true && json !== true),
    );
  return 0;
}

function format(rows: ResultRow[], json: boolean): string {
  return json ? `${JSON.stringify({ data: rows }, null, 2)}\n` : table(rows);
}

function table(rows: ResultRow[]): string {
  const names = [...new Set(rows.flatMap(({ matrix }) => Object.keys(matrix ?? {})))];
  const head = [...names, "run", "name", "status", "exit", "time", "cost", "gpu", "error"];
  const lines = rows.map((row) => [
    ...names.map((name) => row.matrix?.[name]),
    row.run_id,
    row.name,
    row.status,
    row.return_code,
    row.duration_ms === null ? null : `${(row.duration_ms / 1_000).toFixed(2)} s`,
    row.cost === null ? null : Number(row.cost.toPrecision(4)),
    row.gpu_utilization_percent === null ? null : `${row.gpu_utilization_percent.toFixed(0)} %`,
    row.error_code,
  ]);
  return columns([head, ...lines.map((line) => line.map((cell) => String(cell ?? "")))]);
}

export function columns(lines: string[][]): string {
  const widths = (lines[0] ?? []).map((_, at) => Math.max(...lines.map((line) => (line[at] ?? "").length)));
  const used = widths.map((_, at) => lines.slice(1).some((line) => line[at] !== ""));
  const text = lines.map((line) =>
    line.map((cell, at) => (used[at] ? `${cell.padEnd(widths[at] ?? 0)}  ` : "")).join(""),
  );
  return text.map((line) => `${line.trimEnd()}\n`).join("");
}
