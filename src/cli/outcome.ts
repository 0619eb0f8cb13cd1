// How a command ends: its exit code, Ctrl-C, and what goes wrong told in a line or two, or as JSON.
import type { Command } from "commander";
import { ProctorError } from "../client/client.ts";

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
    console.error("\nInterrupted. What was submitted goes on without us.");
    return exitCodes.interrupted;
  }
  if (error instanceof UsageError) {
    if (json) printJson({ error: { code: "usage", detail: error.message } });
    console.error(`error: ${error.message}`);
    return exitCodes.invalid;
  }
  if (!(error instanceof ProctorError)) throw error;
  const { code, message, problem, requestId } = error;
  if (json) printJson({ error: problem ?? { code, detail: message } });
  console.error(`error: ${message}`);
  for (const { pointer, detail } of problem?.errors ?? []) console.error(`  ${pointer}: ${detail}`);
  const hint = hints[code];
  if (hint !== undefined) console.error(hint);
  if (error.status !== null && error.status >= 500)
    console.error(`The service's log knows it as ${requestId}.`);
  return error.isTransient || code === "timeout" || code === "unreadable"
    ? exitCodes.unknown
    : exitCodes.invalid;
}

const hints: Record<string, string> = {
  unreachable: "Is PROCTOR_URL (or --url) right, and the service up? `proctor doctor` looks closer.",
  unauthorized: "Set PROCTOR_API_KEY, or name a file with --key-file.",
  timeout: "It goes on; `proctor wait` takes up the wait again.",
};

/** The one document on stdout. */
export function printJson(document: unknown): void {
  console.log(JSON.stringify(document, null, 2));
}
