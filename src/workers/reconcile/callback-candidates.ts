// Ids in callback bodies, each confirmed by the marker in its record. Every possible id is tried, up to a bound.
import { candidateIds } from "../../domain/callback-ids.ts";
import type { Execution } from "../../domain/execution.ts";
import type { HistoryRow } from "../../lyceum/answer.ts";
import type { LyceumClient } from "../../lyceum/client.ts";
import { executionIdIn } from "../../lyceum/request.ts";
import { listCallbacks } from "../../store/callbacks.ts";
import type { Db } from "../../store/db/transaction.ts";

/** For an execution without an id at Lyceum. */
export async function findNamedRecord(
  lyceum: LyceumClient,
  db: Db,
  execution: Execution,
): Promise<HistoryRow | undefined> {
  if (execution.callbackAt === null || execution.lyceumExecutionId !== null) return undefined;
  const callbacks = await listCallbacks(db, execution.id, "", MAX_BODIES);
  const ids = callbacks.flatMap(({ body, content_encoding }) => candidateIds(body, content_encoding));
  for (const id of [...new Set(ids)].slice(0, MAX_IDS)) {
    const answer = await lyceum.record(id, null, "confirm", "large");
    if (answer.type === "ok" && executionIdIn(answer.value.fileName) === execution.id) return answer.value;
  }
  return undefined;
}

const MAX_BODIES = 4;
/** Each costs a call to Lyceum. */
const MAX_IDS = 5;
