// Own: the ids at Lyceum under which an execution was seen with its marker, or in a record that is nobody else's. A start's
// answer alone does not prove whose the id is. This memory only saves calls: a process that has none reads the record.
import type { Execution } from "../../domain/execution.ts";
import { executionIdIn } from "../../lyceum/request.ts";
import type { DueExecution } from "../../store/execution-claims.ts";
import type { ListSnapshot } from "./list-snapshot.ts";

export interface KnownIds {
  note(execution: Pick<Execution, "id" | "lyceumExecutionId">): void;
  noteListed(watched: DueExecution[], rows: ListSnapshot["rows"]): void;
  /** The record under the id is somebody else's now. */
  forget(execution: Execution): void;
  has(execution: Execution): boolean;
}

export function createKnownIds(): KnownIds {
  /** Lyceum's ids by ours. */
  const seen = new Map<string, string | null>();

  function note({ id, lyceumExecutionId }: Pick<Execution, "id" | "lyceumExecutionId">): void {
    seen.delete(id);
    seen.set(id, lyceumExecutionId);
    const [oldest] = seen.keys();
    if (seen.size > MAX_REMEMBERED && oldest !== undefined) seen.delete(oldest);
  }

  return {
    note,
    noteListed(watched, rows) {
      for (const { execution } of watched) {
        const row = rows.get(execution.lyceumExecutionId ?? "");
        if (row !== undefined && executionIdIn(row.fileName) === execution.id) note(execution);
      }
    },
    forget: ({ id }) => void seen.delete(id),
    has: ({ id, lyceumExecutionId }) => lyceumExecutionId !== null && seen.get(id) === lyceumExecutionId,
  };
}

const MAX_REMEMBERED = 20_000;
