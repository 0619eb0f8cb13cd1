// Ids at Lyceum that are known to belong to an execution: seen with its marker. A start's answer alone proves nothing.
import type { Execution } from "../../domain/execution.ts";
import { executionIdIn } from "../../lyceum/request.ts";
import type { DueExecution } from "../../store/execution-claims.ts";
import type { ListSnapshot } from "./list-snapshot.ts";

export interface KnownIds {
  add(execution: Pick<Execution, "id" | "lyceumExecutionId">): void;
  addListed(watched: DueExecution[], rows: ListSnapshot["rows"]): void;
  /** The record under this id belongs to another execution now. */
  forget(execution: Execution): void;
  has(execution: Execution): boolean;
}

export function createKnownIds(): KnownIds {
  /** By our ids. */
  const known = new Map<string, string | null>();

  function add({ id, lyceumExecutionId }: Pick<Execution, "id" | "lyceumExecutionId">): void {
    known.delete(id);
    known.set(id, lyceumExecutionId);
    const [oldest] = known.keys();
    if (known.size > MAX_REMEMBERED && oldest !== undefined) known.delete(oldest);
  }

  return {
    add,
    addListed(watched, rows) {
      for (const { execution } of watched) {
        const row = rows.get(execution.lyceumExecutionId ?? "");
        if (row !== undefined && executionIdIn(row.fileName) === execution.id) add(execution);
      }
    },
    forget: ({ id }) => void known.delete(id),
    has: ({ id, lyceumExecutionId }) => lyceumExecutionId !== null && known.get(id) === lyceumExecutionId,
  };
}

const MAX_REMEMBERED = 20_000;
