// `proctor open file`: the dashboard of a capsule, on this machine.
import { once } from "node:events";
import type { Command } from "commander";
import { action, exitCodes } from "./outcome.ts";
import { print } from "./terminal.ts";

export function addOpen(program: Command): void {
  program
    .command("open <file>")
    .description("show a capsule of `proctor export --capsule` in the dashboard, offline and only to read")
    .action(action(open));
}

async function open(signal: AbortSignal, file: string) {
  const [app, main] = await Promise.all([import("../app/capsule.ts"), import("../main.ts")]);
  const capsule = await app.openCapsule(file, 0).catch((error) => main.exitBecause("open", error));
  print(`Open ${capsule.url} (signs you in, once). Ctrl-C ends.`);
  if (!signal.aborted) await once(signal, "abort");
  await capsule.close();
  return exitCodes.succeeded;
}
