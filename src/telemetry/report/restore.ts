// Events after a restore: the starts that the restored database does not know.
import type { Recorder } from "./recorder.ts";

export function restoreEvents({ log }: Recorder) {
  return {
    /** The database was restored: nothing starts until the starts since then are found. */
    restoredSearching({ since }: { since: number }): void {
      const line = { event: "restored", since: new Date(since).toISOString() };
      log.warn(line, "database restored: starts pause until those since the backup are found at Lyceum");
    },

    /** If not adopted, its attempt takes the start over later. */
    startRecognized(found: { executionId: string; runId: string; isAdopted: boolean }): void {
      const { executionId, runId, isAdopted } = found;
      const line = {
        event: "start_recognized",
        execution_id: executionId,
        run_id: runId,
        adopted: isAdopted,
      };
      log.info(line, "start found after the restore");
    },

    strayFound(stray: { executionId: string; lyceumExecutionId: string; word: string }): void {
      const { executionId, lyceumExecutionId, word } = stray;
      const line = {
        event: "stray_found",
        execution_id: executionId,
        lyceum_execution_id: lyceumExecutionId,
        word,
      };
      log.warn(line, "execution of an unknown run found after the restore: it is not aborted");
    },

    strayEnded({
      executionId,
      word,
      cost,
    }: {
      executionId: string;
      word: string;
      cost: number | null;
    }): void {
      const line = { event: "stray_ended", execution_id: executionId, word, cost };
      log.info(line, "execution of an unknown run has ended");
    },
  };
}
