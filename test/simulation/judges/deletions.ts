// Only a caller or the retention deletes a job. A deletion that was acknowledged stands, and in the end no row of a
// deleted job is left.
import type { Agenda } from "../agenda.ts";
import type { Books, JobEntry, Snapshot } from "../books.ts";
import { demand } from "../invariants.ts";

interface DeletionsOptions {
  books: Books;
  agenda: Agenda;
  retentionMs: number;
}

export function createDeletions({ books, agenda, retentionMs }: DeletionsOptions) {
  /** Jobs that a caller asked to delete, whether or not an answer came. */
  const asked = new Set<string>();
  const acknowledged = new Set<string>();
  const marked = new Set<string>();
  /** Executions of deleted jobs. */
  const forgotten = new Set<string>();
  let known: Snapshot = { jobs: [], runs: [], executions: [], inbox: [] };

  function checkMark({ id, ended_at }: JobEntry): void {
    if (marked.has(id)) return;
    marked.add(id);
    const isOld = ended_at !== null && agenda.latest() - ended_at >= retentionMs;
    demand(asked.has(id) || isOld, () => `${id} is deleted, and nobody asked for it`);
  }

  function check(snapshot: Snapshot): void {
    const { jobs } = snapshot;
    const kept = new Set(jobs.filter((job) => job.deleted_at === null).map(({ id }) => id));
    // A small job is marked and removed in one step.
    for (const job of [...known.jobs, ...jobs]) if (!kept.has(job.id)) checkMark(job);
    for (const id of marked) demand(!kept.has(id), () => `the deleted job ${id} came back`);
    for (const id of acknowledged) demand(!kept.has(id), () => `${id} is there after its deletion`);
    for (const { id, job_id } of [...known.executions, ...snapshot.executions])
      if (marked.has(job_id)) forgotten.add(id);
    known = snapshot;
  }

  return {
    ask: (id: string) => void asked.add(id),
    acknowledge: (id: string) => void acknowledged.add(id),
    isAsked: (id: string) => asked.has(id),
    isAcknowledged: (id: string) => acknowledged.has(id),
    isMarked(id: string): boolean {
      // A caller may hear of a deletion before the books are looked at.
      if (!marked.has(id)) check(books.snapshot());
      return marked.has(id);
    },
    isForgotten: (executionId: string) => forgotten.has(executionId),
    check,
    /** When all is over. */
    compare(): void {
      for (const id of marked)
        demand(books.rowsOf(id) === 0, () => `${books.rowsOf(id)} rows of the deleted job ${id} are left`);
    },
  };
}
