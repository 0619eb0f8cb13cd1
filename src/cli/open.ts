// `proctor open`: the dashboard of a running service, or of a capsule on this machine.
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Command } from "commander";
import { type Connection, remote, targetOf } from "./connection.ts";
import { action, exitCodes } from "./outcome.ts";
import { print } from "./terminal.ts";

export function addOpen(program: Command): void {
  remote(program.command("open").description("show the dashboard, a job, a run or a capsule in a browser"))
    .argument(
      "[what]",
      "id of a job or run, or a capsule of `proctor export --capsule`; default: the overview",
    )
    .action(action(open));
}

async function open(signal: AbortSignal, what: string | undefined, options: Connection) {
  const page = what === undefined ? "" : pageOf(what);
  if (page === null) return openCapsule(signal, what as string);
  show(`${targetOf(options).url.replace(/\/+$/, "")}/#/${page}`);
  return exitCodes.succeeded;
}

/** Null if `what` is no id. */
function pageOf(what: string): string | null {
  const [, kind] = /^(job|run)_[0-9a-z]+$/.exec(what) ?? [];
  return kind === undefined ? null : `${kind}s/${what}`;
}

async function openCapsule(signal: AbortSignal, file: string) {
  const [app, main] = await Promise.all([import("../app/capsule.ts"), import("../main.ts")]);
  const capsule = await app.openCapsule(file, 0).catch((error) => main.exitBecause("open", error));
  print(`Open ${capsule.url} (signs you in, once). Ctrl-C ends.`);
  if (!signal.aborted) await once(signal, "abort");
  await capsule.close();
  return exitCodes.succeeded;
}

/** Opens a browser when a person is likely to sit here. */
function show(url: string): void {
  print(url);
  if (process.stdout.isTTY !== true) return;
  const [command = "", ...args] = openers[process.platform] ?? ["xdg-open"];
  // Without a browser the printed address is enough.
  spawn(command, [...args, url], { stdio: "ignore", detached: true })
    .on("error", () => {})
    .unref();
}

const openers: Partial<Record<NodeJS.Platform, string[]>> = {
  darwin: ["open"],
  win32: ["rundll32", "url.dll,FileProtocolHandler"],
};
