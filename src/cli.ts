#!/usr/bin/env node
// The command line: runs the service on this machine, or talks to a running service.
import { Command, CommanderError } from "commander";
import packageJson from "../package.json" with { type: "json" };
import { addAccount } from "./cli/account.ts";
import { addBackup } from "./cli/backup.ts";
import { addCancelAndRetry } from "./cli/cancel-and-retry.ts";
import { addCompletion } from "./cli/completion.ts";
import { addDoctor } from "./cli/doctor.ts";
import { addExamples } from "./cli/examples.ts";
import { addExport } from "./cli/export.ts";
import { addLists } from "./cli/lists.ts";
import { addLocal } from "./cli/local.ts";
import { addLogs } from "./cli/logs.ts";
import { addOpen } from "./cli/open.ts";
import { exitCodes } from "./cli/outcome.ts";
import { addResults } from "./cli/results.ts";
import { addStatus } from "./cli/status.ts";
import { addSubmit } from "./cli/submit.ts";
import { addWatch } from "./cli/watch.ts";

const program = new Command("proctor")
  .description("Runs jobs on Lyceum Cloud and follows each run to its end.")
  .version(packageJson.version)
  .exitOverride()
  .addHelpText(
    "after",
    `
Exit codes: 0 succeeded, 1 failed, 2 wrong usage or refused, 3 cancelled, 4 no answer or timeout, 130 Ctrl-C.
PROCTOR_URL and PROCTOR_API_KEY name a running service. \`proctor <command> --help\` shows examples.`,
  );

addSubmit(program);
addWatch(program);
addLogs(program);
addCancelAndRetry(program);
addResults(program);
addLists(program);
addAccount(program);
addStatus(program);
addDoctor(program);
addLocal(program);
addExport(program);
addOpen(program);
addBackup(program);
addCompletion(program);
addExamples(program);

// A reader such as `head` may close the pipe early.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Commander has printed the error; exit code 0 means that it printed help.
  process.exitCode = error.exitCode === 0 ? 0 : exitCodes.invalid;
}
