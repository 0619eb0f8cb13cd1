// How a command ends: its exit code, Ctrl-C, and what goes wrong told in a line or two, or as JSON.
import type { Command } from "commander";
import { ProctorError } from "../client/client.ts";
import { print, printError } from "./terminal.ts";

export const exitCodes = {
  succeeded: 0,
  failed: 1,
  /** Wrong usage, or the service refuses. */
  invalid: 2,
  cancelled: 3,
  /** No answer, or none in time: nobody can say how it went. */
  unknown: 4,
  /** 128 + SIGINT. */
  interrupted: 130,
} as const;

/** The command line asks for something that cannot be. */
export class UsageError extends Error {}

class Interrupted extends Error {}

/** Of a job or run that has ended. */
export function exitCodeOf({ status }: { status: string }): number {
  if (status === "succeeded") return exitCodes.succeeded;
  return status === "cancelled" ? exitCodes.cancelled : exitCodes.failed;
}

/**
 * Makes a commander action of a command: what it answers is the exit code, and the first Ctrl-C aborts its signal.
 */
export function action<Args extends unknown[]>(
  carryOut: (signal: AbortSignal, ...args: Args) => Promise<number>,
): (...args: Args) => Promise<void> {
  return async (...args) => {
    const leaving = new AbortController();
    // Once: the second one ends the process as usual.
    process.once("SIGINT", () => leaving.abort(new Interrupted("interrupted")));
    try {
      process.exitCode = await carryOut(leaving.signal, ...args);
    } catch (error) {
      const { json } = (args.at(-1) as Command).opts<{ json?: boolean }>();
      process.exitCode = tell(error, json ?? false);
    }
  };
}

/** @throws what is a bug rather than an outcome */
function tell(error: unknown, json: boolean): number {
  if (error instanceof Interrupted) {
    printError("\nInterrupted. What was submitted goes on without us.");
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
  // The message has told of the only one.
  const errors = problem?.errors ?? [];
  if (errors.length > 1) for (const { pointer, detail } of errors) printError(`  ${pointer}: ${detail}`);
  const hint = hints[code];
  if (hint !== undefined) printError(hint);
  if (error.status !== null && error.status >= 500) printError(`The service's log knows it as ${requestId}.`);
  return error.isTransient || code === "timeout" || code === "unreadable"
    ? exitCodes.unknown
    : exitCodes.invalid;
}

/** A file that is not there, not readable, a folder… */
function isFileError(error: unknown): error is NodeJS.ErrnoException & { path: string } {
  const { syscall, path, code } = error as NodeJS.ErrnoException;
  return error instanceof Error && [syscall, path, code].every((part) => typeof part === "string");
}

const hints: Record<string, string> = {
  unreachable: "Is PROCTOR_URL (or --url) right, and the service up? `proctor doctor` looks closer.",
  unauthorized: "Set PROCTOR_API_KEY, or name a file with --key-file.",
  timeout: "It goes on; `proctor wait` takes up the wait again.",
};

/** The one document on stdout. */
export function printJson(document: unknown): void {
  print(JSON.stringify(document, null, 2));
}
