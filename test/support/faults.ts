// A store whose database is away at chosen moments: before a write, after it was committed, or at a read.
import type { KyselyPlugin } from "kysely";
import { DatabaseUnavailable } from "../../src/lib/database-error.ts";
import { createBatcher } from "../../src/store/db/batch.ts";
import type { Store } from "../../src/store/store.ts";

export type Fault = "refused" | "lost" | "unread";

export interface Faulty {
  store: Store;
  /** The database is away at the write or read that comes after so many others, and for `times` of them. */
  failAfter(others: number, fault: Fault, times?: number): void;
}

export function withFaults(store: Store): Faulty {
  let planned: { fault: Fault; from: number; to: number } | null = null;
  let count = 0;

  /** True when the planned fault is one of `faults` and its moment has come. */
  function meets(...faults: Fault[]): boolean {
    if (planned === null || !faults.includes(planned.fault)) return false;
    count++;
    return count > planned.from && count <= planned.to;
  }

  const write: Store["write"] = async (work) => {
    const isAway = meets("refused", "lost");
    if (isAway && planned?.fault === "refused") throw away();
    const result = await store.write(work);
    if (isAway) throw away();
    return result;
  };
  const reading: KyselyPlugin = {
    transformQuery: ({ node }) => node,
    async transformResult({ result }) {
      if (meets("unread")) throw away();
      return result;
    },
  };
  const batchWrite = createBatcher(write);
  return {
    store: { ...store, db: store.db.withPlugin(reading), write, batchWrite, batchAppend: batchWrite },
    failAfter(others, fault, times = 1) {
      planned = { fault, from: others, to: others + times };
      count = 0;
    },
  };
}

function away(): DatabaseUnavailable {
  return new DatabaseUnavailable("away", "the database is away, as the test wishes");
}
