// Follow: what is made of a list, for the executions of which it shows something new, or nothing.
import type { Context } from "../../orchestration/context.ts";
import type { DueExecution } from "../../store/execution-claims.ts";
import { readingOfWord } from "../collect/record-artifact.ts";
import { isSearched, type ListSnapshot, wordOf } from "./list-snapshot.ts";
import type { ReadRecord } from "./read-record.ts";
import type { FactRecorder } from "./record-fact.ts";
import type { Search, Wanted } from "./search.ts";

export interface FollowOptions {
  now: () => number;
  notes: FactRecorder;
  confirm: ReadRecord;
  search: Search;
  leaseMs: number;
}

export function createFollow(context: Context, { now, notes, confirm, search, leaseMs }: FollowOptions) {
  const { note, unanswered } = notes;

  /** Records new words of executions that the list shows alive. Returns the executions to watch further. */
  async function alive(due: DueExecution[], sight: ListSnapshot): Promise<DueExecution[]> {
    const kept = due.map(async (one): Promise<DueExecution[]> => {
      const { execution, cancellation } = one;
      const word = wordOf(one, sight) ?? "";
      context.report.check({ executionId: execution.id, cause: "routine", word });
      const heldUntil = cancellation === null ? now() + leaseMs : null;
      const look = { by: "poll", askedAt: sight.askedAt, heldUntil } as const;
      const settled = await note(execution, { type: "reading", snapshot: readingOfWord(word), ...look });
      const after = settled?.execution;
      return after?.phase === "watching" && after.dueAt === heldUntil ? [{ ...one, execution: after }] : [];
    });
    return (await Promise.all(kept)).flat();
  }

  /** Follows executions that no list shows alive, or of which the list says too little. */
  async function gone(due: DueExecution[], sight: ListSnapshot): Promise<DueExecution[]> {
    return sight.list.type === "ok" ? afterList(due, sight) : withoutList(due, sight);
  }

  async function afterList(due: DueExecution[], sight: ListSnapshot): Promise<DueExecution[]> {
    const sought = due.filter(isSearched).map(({ execution }) => ({ execution }));
    const confirmed = await confirmAll(due.filter((one) => !isSearched(one)));
    await search([...sought, ...confirmed.wanted], sight.isRead ? sight : null);
    return [];
  }

  /** Records stand in for the list, as long as they are answered; what has to be searched for is sought in the history. */
  async function withoutList(due: DueExecution[], sight: ListSnapshot): Promise<DueExecution[]> {
    const { records, list, failures } = sight;
    const [first, ...rest] = due.filter((one) => records.has(one));
    const probe = await confirmAll(first === undefined ? [] : [first]);
    const others = probe.isSilent ? { wanted: [] } : await confirmAll(rest);
    const missed = due.filter((one) => !records.has(one));
    const wanted = [...probe.wanted, ...others.wanted];
    wanted.push(...missed.filter(isSearched).map(({ execution }) => ({ execution })));
    const silent = missed.filter((one) => !isSearched(one)).map(({ execution }) => ({ execution }));
    // The history has a limit of its own, and the list may stay away for long: ever more seldom.
    const isSearchDue = failures > 1 && Number.isInteger(Math.log2(failures));
    if (isSearchDue) await search(wanted, sight);
    else silent.push(...wanted);
    await Promise.all(silent.map(({ execution }) => unanswered(execution, list)));
    return probe.isSilent ? rest : [];
  }

  /** Reads the records; answers the executions that are to be searched for, and whether Lyceum said nothing at all. */
  async function confirmAll(due: DueExecution[]): Promise<{ wanted: Wanted[]; isSilent: boolean }> {
    const looks = due.map(async (one) => [one, await confirm(one, { by: "poll" })] as const);
    const confirmed = await Promise.all(looks);
    const wanted = confirmed.flatMap(([{ execution }, came]) =>
      came === "absent" || came === "barred" ? [{ execution, isBarred: came === "barred" }] : [],
    );
    return { wanted, isSilent: due.length > 0 && confirmed.every(([, came]) => came === "silent") };
  }

  return { alive, gone };
}
