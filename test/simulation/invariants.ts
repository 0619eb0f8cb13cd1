// Invariants that hold after every step, read from the books alone.
import { executionStatuses } from "../../src/domain/execution.ts";
import type { Agenda } from "./agenda.ts";
import type { Books, ExecutionEntry, JobEntry, RunEntry, Snapshot } from "./books.ts";

export class Violation extends Error {
  override name = "Violation";
}

export function demand(holds: boolean, what: () => string): void {
  if (!holds) throw new Violation(what());
}

const MINUTE = 60_000;
/** A wake-up may be this late while the process is up: leases, full queues and stalled calls delay it. */
const MAX_OVERDUE_MS = 20 * MINUTE;
/** A callback waits this long at most to be filed while the process is up. */
const MAX_UNFILED_MS = MINUTE;
/** No wake-up of an execution or a retry is ever set further ahead. */
const FURTHEST_MS = 70 * MINUTE;
const TERMINAL = ["succeeded", "failed", "cancelled"];
const COUNTED = ["queued", "active", "collecting", ...TERMINAL] as const;
/** Other words of events tell of something that is no status. */
const statuses = new Set<string>([...COUNTED, ...executionStatuses]);

export function createInvariants(books: Books, agenda: Agenda, tell: (event: string) => void) {
  const ends = new Map<string, string>();
  const lastEvent = new Map<string, string>();
  const overdueSince = new Map<string, number>();
  /** Attempts of the runs of a job when a failure was to cancel the rest: nothing of it starts any more. */
  const attemptsAtFailure = new Map<string, Map<string, number>>();
  let lastSeq = 0;

  /** A terminal status never changes. */
  function keepsItsEnd(id: string, status: string, isEnd: boolean): void {
    const known = ends.get(id);
    demand(known === undefined || known === status, () => `${id} ended as ${known} and is ${status} now`);
    if (isEnd) ends.set(id, status);
  }

  function checkJob(job: JobEntry, runs: RunEntry[]): void {
    keepsItsEnd(job.id, job.status, job.ended_at !== null);
    for (const status of COUNTED) {
      const counted = runs.filter((run) => run.status === status).length;
      demand(job[status as "queued"] === counted, () => {
        return `${job.id} counts ${job[status as "queued"]} runs as ${status}, there are ${counted}`;
      });
    }
    demand(job.total === runs.length, () => `${job.id} counts ${job.total} runs, there are ${runs.length}`);
    checkRest(job, runs);
    const due = runs.flatMap((run) => run.due_at ?? []);
    const mayStart = job.cancel_mode === null && (job.max_parallel === null || job.active < job.max_parallel);
    const readyAt = mayStart && due.length > 0 ? Math.min(...due) : null;
    demand(job.ready_at === readyAt, () => `${job.id} is ready at ${job.ready_at}, should be ${readyAt}`);
    demand(
      job.max_parallel === null || job.active <= job.max_parallel,
      () => `${job.id} has more active runs than it allows`,
    );
    demand(
      job.cancel_mode === null || job.queued === 0 || job.due_at !== null,
      () => `${job.id} is cancelled but its queued runs are forgotten`,
    );
    if (job.due_at !== null) checkWakeup(job.id, job.due_at);
  }

  function checkRest({ id, on_run_failure, ended_at }: JobEntry, runs: RunEntry[]): void {
    const known = attemptsAtFailure.get(id);
    for (const run of runs) {
      const attempts = known?.get(run.id) ?? run.attempt;
      demand(run.attempt <= attempts, () => `${run.id} is started after another run of its job has failed`);
    }
    const isFailure = on_run_failure === "cancel_rest" && runs.some(({ outcome }) => outcome === "failed");
    if (known === undefined && isFailure && ended_at === null)
      attemptsAtFailure.set(id, new Map(runs.map((run) => [run.id, run.attempt])));
  }

  function checkRun(run: RunEntry, executions: ExecutionEntry[]): void {
    keepsItsEnd(run.id, run.status, TERMINAL.includes(run.status));
    keepsItsEnd(`the outcome of ${run.id}`, String(run.outcome), run.outcome !== null);
    const isKnown = run.status === "collecting" || TERMINAL.includes(run.status);
    demand(
      isKnown === (run.outcome !== null),
      () => `${run.id} is ${run.status} with outcome ${run.outcome}`,
    );
    demand(
      !TERMINAL.includes(run.status) || run.status === run.outcome,
      () => `${run.id} ended as ${run.status}, its outcome was ${run.outcome}`,
    );
    const live = executions.filter(({ phase }) => phase === "submitting" || phase === "watching");
    demand(live.length <= 1, () => `${run.id} has ${live.length} executions that may be alive`);
    const current = executions.find((execution) => execution.id === run.execution_id);
    const isLive = live.length === 1 && live[0] === current;
    demand((run.status === "active") === isLive, () => `${run.id} is ${run.status} beside its executions`);
    demand(
      run.status !== "collecting" || current?.phase === "collecting",
      () => `${run.id} collects nothing`,
    );
    if (run.due_at !== null) checkHorizon(run.id, run.due_at);
  }

  function checkExecution({ id, phase, status, due_at }: ExecutionEntry): void {
    keepsItsEnd(id, status, phase === "collecting" || phase === "orphan" || phase === "closed");
    demand((due_at === null) === (phase === "closed"), () => `${id} is ${phase} and due at ${due_at}`);
    if (due_at === null) return;
    checkWakeup(id, due_at);
    checkHorizon(id, due_at);
  }

  function checkHorizon(id: string, dueAt: number): void {
    const aheadMs = dueAt - agenda.latest();
    demand(aheadMs <= FURTHEST_MS, () => `${id} sleeps for another ${Math.round(aheadMs / MINUTE)} minutes`);
  }

  /** The wall may jump, so lateness is counted from when it was first seen. */
  function checkWakeup(id: string, dueAt: number): void {
    const key = `${id} ${dueAt}`;
    if (dueAt > agenda.now()) return void overdueSince.delete(key);
    const since = overdueSince.get(key) ?? agenda.monotonic();
    overdueSince.set(key, since);
    demand(agenda.monotonic() - since < MAX_OVERDUE_MS, () => `${id} is due and nobody comes`);
  }

  function checkUnfiled(id: string, upSince: number | null): void {
    const since = Math.max(overdueSince.get(id) ?? agenda.monotonic(), upSince ?? agenda.monotonic());
    overdueSince.set(id, since);
    const waitedMs = agenda.monotonic() - since;
    demand(waitedMs < MAX_UNFILED_MS, () => `${id} is acknowledged and not filed for ${waitedMs} ms`);
  }

  function readEvents(): void {
    for (const { seq, type, job_id, run_id, execution_id } of books.eventsAfter(lastSeq)) {
      demand(seq === lastSeq + 1, () => `event ${seq} follows event ${lastSeq}`);
      lastSeq = seq;
      const [kind, word] = type.split(".");
      const id = kind === "job" ? job_id : kind === "run" ? run_id : execution_id;
      tell(`${type} ${id?.slice(-6)}`);
      const status = word === "created" ? "queued" : (word ?? "");
      if (kind !== "callback" && statuses.has(status)) lastEvent.set(id ?? "", status);
    }
  }

  function checkTold({ id, status }: { id: string; status: string }): void {
    const told = lastEvent.get(id);
    demand(told === status, () => `${id} is ${status}, the last event about it says ${told}`);
  }

  return {
    /** A new process looks at everything afresh. */
    forgive: () => overdueSince.clear(),
    /** @param upSince null while a host is down */
    check(snapshot: Snapshot, upSince: number | null): void {
      readEvents();
      // The rows of a deleted job go piece by piece.
      const jobs = snapshot.jobs.filter(({ deleted_at }) => deleted_at === null);
      const kept = new Set(jobs.map(({ id }) => id));
      const runs = snapshot.runs.filter(({ job_id }) => kept.has(job_id));
      const executions = snapshot.executions.filter(({ job_id }) => kept.has(job_id));
      const runsOf = Map.groupBy(runs, (run) => run.job_id);
      const executionsOf = Map.groupBy(executions, (execution) => execution.run_id);
      for (const job of jobs) checkJob(job, runsOf.get(job.id) ?? []);
      for (const run of runs) checkRun(run, executionsOf.get(run.id) ?? []);
      for (const execution of executions) checkExecution(execution);
      for (const entry of [...jobs, ...runs, ...executions]) checkTold(entry);
      for (const { id } of snapshot.inbox) checkUnfiled(id, upSince);
    },
  };
}
