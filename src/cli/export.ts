// `proctor export`: jobs of the database of this machine, as lines of JSON or as a capsule.
import { once } from "node:events";
import type { Command } from "commander";
import { action, exitCodes, UsageError } from "./outcome.ts";
import { print } from "./terminal.ts";

export function addExport(program: Command): void {
  program
    .command("export [job...]")
    .description("print jobs of the database of DATABASE_URL as lines of JSON; default: all jobs")
    .option("--capsule <file>", "write everything of one finished job into a file for `proctor open`")
    .action(action(exportJobs));
}

async function exportJobs(_signal: AbortSignal, jobIds: string[], { capsule }: { capsule?: string }) {
  const [jobId] = jobIds;
  if (capsule !== undefined && (jobId === undefined || jobIds.length > 1))
    throw new UsageError("a capsule holds one job: name it");
  const [app, main] = await Promise.all([import("../app/capsule.ts"), import("../main.ts")]);
  const database = main.databaseOrExit();
  const exporting =
    capsule === undefined || jobId === undefined
      ? app.exportJobs(database, jobIds, write)
      : app.writeCapsule(database, jobId, capsule);
  await exporting.catch((error) => main.exitBecause("export", error));
  if (capsule !== undefined) print(capsule);
  return exitCodes.succeeded;
}

async function write(piece: string): Promise<void> {
  if (!process.stdout.write(piece)) await once(process.stdout, "drain");
}
