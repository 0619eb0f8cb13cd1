// The end of a command: exit code, Ctrl-C, and errors as short lines or as JSON.
import type { Command } from "commander";
import { ProctorError } from "../client/client.ts";
import { print, printError } from "./terminal.ts";

export const exitCodes = {
  succeeded: 0,
  failed: 1,
  invalid: 2,
  cancelled: 3,
  /** No answer, or timeout: the status is unknown. */
  unknown: 4,
  /** 128 + SIGINT. */
  interrupted: 130,
} as const;

export class UsageError extends Error {}

class Interrupted extends Error {}

export function exitCodeOf({ status }: { status: string }): number {
  if (status === "succeeded") return exitCodes.succeeded;
  return status === "cancelled" ? exitCodes.cancelled : exitCodes.failed;
}

/** The command's result is the exit code; the first Ctrl-C aborts its signal. */
export function action<Args extends unknown[]>(
  command: (signal: AbortSignal, ...args: Args) => Promise<number>,
): (...args: Args) => Promise<void> {
  return async (...args) => {
    const interrupt = new AbortController();
    // Only once: a second Ctrl-C ends the process as usual.
    process.once("SIGINT", () => interrupt.abort(new Interrupted("interrupted")));
    try {
      process.exitCode = await command(interrupt.signal, ...args);
    } catch (error) {
      const { json } = (args.at(-1) as Command).opts<{ json?: boolean }>();
      process.exitCode = printFailure(error, json ?? false);
    }
  };
}

/** Returns the exit code. @throws errors that are bugs */
function printFailure(error: unknown, json: boolean): number {
  if (error instanceof Interrupted) {
    printError("\nInterrupted. Submitted jobs continue.");
    return exitCodes.interrupted;
  }
  if (error instanceof UsageError) {
    if (json) printJson({ error: { code: "usage", detail: error.message } });
    printError(`error: ${error.message}`);
    return exitCodes.invalid;
  }
  if (isFileError(error)) {
    const detail = `${error.path} cannot be used (${error.code})`;
    if (json) printJson({ error: { code: "file", detail } });
    printError(`error: ${detail}`);
    return exitCodes.invalid;
  }
  if (!(error instanceof ProctorError)) throw error;
  const { code, message, problem, requestId } = error;
  if (json) printJson({ error: problem ?? { code, detail: message } });
  printError(`error: ${message}`);
  // The message already shows a single error.
  const errors = problem?.errors ?? [];
  if (errors.length > 1) for (const { pointer, detail } of errors) printError(`  ${pointer}: ${detail}`);
  const hint = hints[code];
  if (hint !== undefined) printError(hint);
  if (error.status !== null && error.status >= 500)
    printError(`See request ${requestId} in the service's log.`);
  return error.isTransient || code === "timeout" || code === "unreadable"
    ? exitCodes.unknown
    : exitCodes.invalid;
}

/** Not found, not readable, a folder… */
function isFileError(error: unknown): error is NodeJS.ErrnoException & { path: string } {
  const { syscall, path, code } = error as NodeJS.ErrnoException;
  return error instanceof Error && [syscall, path, code].every((part) => typeof part === "string");
}

const hints: Record<string, string> = {
  unreachable: "Check PROCTOR_URL (or --url) and that the service runs; `proctor doctor` tells more.",
  unauthorized: "Set PROCTOR_API_KEY, or name a file with --key-file.",
  timeout: "The job continues; `proctor wait` waits for it again.",
};

export function printJson(document: unknown): void {
  print(JSON.stringify(document, null, 2));
}
