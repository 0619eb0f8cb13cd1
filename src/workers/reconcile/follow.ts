// Follows up a list poll: records new status words, reads records, and starts searches.
import { snapshotOfWord } from "../../lyceum/snapshot.ts";
import type { Context } from "../../orchestration/context.ts";
import type { DueExecution } from "../../store/execution-claims.ts";
import { isSearched, type ListSnapshot, wordOf } from "./list-snapshot.ts";
import type { ReadRecord } from "./read-record.ts";
import type { FactRecorder } from "./record-fact.ts";
import type { Search, Wanted } from "./search.ts";

export interface FollowOptions {
  now: () => number;
  recorder: FactRecorder;
  readRecord: ReadRecord;
  search: Search;
  leaseMs: number;
}

export function createFollow(
  context: Context,
  { now, recorder, readRecord, search, leaseMs }: FollowOptions,
) {
  const { record, recordUnanswered } = recorder;

  /** Returns the executions to keep watching. */
  async function alive(changed: DueExecution[], listSnapshot: ListSnapshot): Promise<DueExecution[]> {
    const kept = changed.map(async (due): Promise<DueExecution[]> => {
      const { execution, cancellation } = due;
      const word = wordOf(due, listSnapshot) ?? "";
      context.report.check({ executionId: execution.id, jobId: execution.jobId, cause: "routine", word });
      const leaseUntil = cancellation === null ? now() + leaseMs : null;
      const source = { by: "poll", askedAt: listSnapshot.askedAt, leaseUntil } as const;
      const applied = await record(execution, {
        type: "snapshot",
        snapshot: snapshotOfWord(word),
        ...source,
      });
      const after = applied?.execution;
      return after?.phase === "watching" && after.dueAt === leaseUntil ? [{ ...due, execution: after }] : [];
    });
    return (await Promise.all(kept)).flat();
  }

  /** For executions that the list does not show alive, or without a list. */
  async function gone(changed: DueExecution[], listSnapshot: ListSnapshot): Promise<DueExecution[]> {
    return listSnapshot.list.type === "ok"
      ? afterList(changed, listSnapshot)
      : withoutList(changed, listSnapshot);
  }

  async function afterList(changed: DueExecution[], listSnapshot: ListSnapshot): Promise<DueExecution[]> {
    const searched = changed.filter(isSearched).map(({ execution }) => ({ execution }));
    const read = await readRecords(changed.filter((due) => !isSearched(due)));
    await search([...searched, ...read.wanted], listSnapshot.isRead ? listSnapshot : null);
    return [];
  }

  /** For as long as Lyceum answers; then searches the history alone. */
  async function withoutList(changed: DueExecution[], listSnapshot: ListSnapshot): Promise<DueExecution[]> {
    const { records, list, failures } = listSnapshot;
    const [first, ...rest] = changed.filter((due) => records.has(due));
    const probe = await readRecords(first === undefined ? [] : [first]);
    const others = probe.isSilent ? { wanted: [] } : await readRecords(rest);
    const missed = changed.filter((due) => !records.has(due));
    const wanted = [...probe.wanted, ...others.wanted];
    wanted.push(...missed.filter(isSearched).map(({ execution }) => ({ execution })));
    const silent = missed.filter((due) => !isSearched(due)).map(({ execution }) => ({ execution }));
    // The history has a limit of its own, and the list may be unavailable for long: search ever more rarely.
    const isSearchDue = failures > 1 && Number.isInteger(Math.log2(failures));
    if (isSearchDue) await search(wanted, listSnapshot);
    else silent.push(...wanted);
    await Promise.all(silent.map(({ execution }) => recordUnanswered(execution, list)));
    return probe.isSilent ? rest : [];
  }

  /** Returns the executions to search for. `isSilent`: Lyceum answered none of the reads. */
  async function readRecords(toRead: DueExecution[]): Promise<{ wanted: Wanted[]; isSilent: boolean }> {
    const reads = toRead.map(async (due) => [due, await readRecord(due, { by: "poll" })] as const);
    const states = await Promise.all(reads);
    const wanted = states.flatMap(([{ execution }, state]) =>
      state === "absent" || state === "barred" ? [{ execution, isBarred: state === "barred" }] : [],
    );
    return { wanted, isSilent: toRead.length > 0 && states.every(([, state]) => state === "silent") };
  }

  return { alive, gone };
}
