// The emulator's memory, bounded: all executions, live executions, and received calls.
import type { Execution } from "./execution.ts";

export interface RecordedCall {
  at: number;
  method: string;
  path: string;
  /** The path's template, e.g. `/execution/:id`. */
  route: string;
  /** 0 if the connection was destroyed without an answer. */
  status: number;
  orgSlug: string | null;
}

interface Bounds {
  /** Maximum number of ended executions; the oldest are dropped. */
  endedKept: number;
  /** Maximum number of characters of bodies and output over all ended executions. */
  charactersKept: number;
  callsKept: number;
}

export interface Ledger {
  add(execution: Execution): void;
  find(id: string): Execution | undefined;
  neighbour(execution: Execution): Execution | undefined;
  /** May drop the oldest ended executions. */
  settle(execution: Execution): void;
  drop(execution: Execution): void;
  all(): Execution[];
  /** The executions that `/workloads/list` shows. */
  listed(): Execution[];
  record(call: RecordedCall): void;
  calls(): RecordedCall[];
  /** By `METHOD route`, dropped calls included. */
  counts(): Record<string, number>;
  clear(): void;
}

export function createLedger(bounds: Bounds): Ledger {
  const executions = new Map<string, Execution>();
  const live = new Set<Execution>();
  const ended = new Set<Execution>();
  const counts = new Map<string, number>();
  let calls: RecordedCall[] = [];
  let characters = 0;

  function drop(execution: Execution): void {
    execution.dropped = true;
    executions.delete(execution.id);
    live.delete(execution);
    if (ended.delete(execution)) characters -= execution.size;
  }

  return {
    add(execution) {
      executions.set(execution.id, execution);
      live.add(execution);
    },
    find: (id) => executions.get(id),
    neighbour({ number }) {
      const others = [...executions.values()].filter((one) => one.parentId === null && one.number !== number);
      return others.findLast((one) => one.number < number) ?? others[0];
    },
    settle(execution) {
      if (!live.delete(execution)) return;
      ended.add(execution);
      characters += execution.size;
      for (const oldest of ended) {
        if (ended.size <= bounds.endedKept && characters <= bounds.charactersKept) break;
        drop(oldest);
      }
    },
    drop,
    all: () => [...executions.values()],
    listed: () => [...live],
    record(call) {
      calls.push(call);
      // Drop half of the calls at once, so that dropping costs nothing per call.
      if (calls.length >= 2 * bounds.callsKept) calls = calls.slice(-bounds.callsKept);
      const key = `${call.method} ${call.route}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    },
    calls: () => calls.slice(-bounds.callsKept),
    counts: () => Object.fromEntries(counts),
    clear() {
      for (const execution of executions.values()) execution.dropped = true;
      executions.clear();
      live.clear();
      ended.clear();
      counts.clear();
      calls = [];
      characters = 0;
    },
  };
}
