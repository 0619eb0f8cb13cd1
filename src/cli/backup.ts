// `proctor backup` and `proctor restore`: the database of this machine, named by DATABASE_URL.
import type { Command } from "commander";
import { action, exitCodes, printJson, UsageError } from "./outcome.ts";
import { print, printError } from "./terminal.ts";

export function addBackup(program: Command): void {
  program
    .command("backup [file]")
    .description(
      "back up the SQLite database of DATABASE_URL, also while it is in use; default: into BACKUP_DIR",
    )
    .option("--json", "print only a JSON document")
    .action(action(backUp));
  program
    .command("restore [file]")
    .description("put a backup in the place of the database of DATABASE_URL; the service must be stopped")
    .option("--replace", "move an existing database aside")
    .option(
      "--mark",
      "without a file: the database was restored by other means and is only marked as restored",
    )
    .option("--json", "print only a JSON document")
    .action(action(restore));
}

interface RestoreOptions {
  replace?: boolean;
  mark?: boolean;
  json?: boolean;
}

async function backUp(_signal: AbortSignal, file: string | undefined, { json }: { json?: boolean }) {
  const folder = process.env.BACKUP_DIR?.trim();
  if (file === undefined && !folder) throw new UsageError("name a file, or set BACKUP_DIR");
  const [maintenance, main] = await Promise.all([import("../app/maintenance.ts"), import("../main.ts")]);
  const target = file === undefined ? { folder: folder ?? "" } : { path: file };
  const made = await maintenance
    .backup(main.databaseOrExit(), target)
    .catch((error) => main.exitBecause("back up", error));
  if (json) printJson(made);
  else print(made.path);
  return exitCodes.succeeded;
}

async function restore(_signal: AbortSignal, file: string | undefined, options: RestoreOptions) {
  const { mark = false, replace = false, json } = options;
  if ((file === undefined) !== mark) throw new UsageError("name a backup file, or use --mark without one");
  const [maintenance, main] = await Promise.all([import("../app/maintenance.ts"), import("../main.ts")]);
  const database = main.databaseOrExit();
  const restoring =
    file === undefined
      ? maintenance.mark(database).then((since) => ({ formerPath: null, since }))
      : maintenance.restore(database, file, replace);
  const { formerPath, since } = await restoring.catch((error) => main.exitBecause("restore", error));
  const sinceText = new Date(since).toISOString();
  if (json) printJson({ former_path: formerPath, since: sinceText });
  if (formerPath !== null) printError(`The former database is ${formerPath}.`);
  printError(`When the service starts, it first searches Lyceum for all starts since ${sinceText}.`);
  return exitCodes.succeeded;
}
