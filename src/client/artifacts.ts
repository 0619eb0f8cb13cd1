// Reading what was fetched of a run.
import type { LogEntry, Logs } from "./answer.ts";
import { ProctorError } from "./error.ts";

/** JSON lines, and two headers that say how far to trust them. */
export async function readLogs(response: Response): Promise<Logs> {
  const lines = (await response.text()).split("\n").filter((line) => line !== "");
  return {
    entries: lines.map((line) => JSON.parse(line) as LogEntry),
    complete: response.headers.get("X-Log-Complete") === "true",
    truncated: response.headers.get("X-Log-Truncated") === "true",
  };
}

/** Null for what is not there yet, or never will be. A run that nobody knows remains an error. */
export async function orNull<T>(artifact: Promise<T>): Promise<T | null> {
  try {
    return await artifact;
  } catch (error) {
    if (error instanceof ProctorError && (error.code === "not-ready" || error.code === "unavailable"))
      return null;
    throw error;
  }
}
