#!/usr/bin/env node
// The command line: the service and what belongs to it on this machine, and a running service from anywhere.
import { Command, CommanderError } from "commander";
import packageJson from "../package.json" with { type: "json" };
import { addSteering } from "./cli/cancel-and-retry.ts";
import { addDoctor } from "./cli/doctor.ts";
import { addExamples } from "./cli/examples.ts";
import { addLocal } from "./cli/local.ts";
import { addLogs } from "./cli/logs.ts";
import { exitCodes } from "./cli/outcome.ts";
import { addResults } from "./cli/results.ts";
import { addStatus } from "./cli/status.ts";
import { addSubmit } from "./cli/submit.ts";
import { addWatch } from "./cli/watch.ts";

const program = new Command("proctor")
  .description("Takes runs on Lyceum Cloud to an end, once, and tells you how it went.")
  .version(packageJson.version)
  .exitOverride()
  .addHelpText(
    "after",
    `
Exit codes: 0 succeeded, 1 failed, 2 wrong usage or refused, 3 cancelled, 4 no answer or none in time, 130 Ctrl-C.
A running service is found by PROCTOR_URL and PROCTOR_API_KEY. \`proctor <command> --help\` shows examples.`,
  );

addSubmit(program);
addWatch(program);
addLogs(program);
addSteering(program);
addResults(program);
addStatus(program);
addDoctor(program);
addLocal(program);
addExamples(program);

// A reader such as `head` may have seen enough.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Commander has said what is wrong; 0 is its help.
  process.exitCode = error.exitCode === 0 ? 0 : exitCodes.invalid;
}
