// A small reference model: from what happened at Lyceum and what was asked for follows how each run must have
// ended. It knows nothing of how the service came to its view.
import { unpackDocument } from "../../src/store/db/documents.ts";
import type { Books, ExecutionEntry, JobEntry, RunEntry } from "./books.ts";
import { demand } from "./invariants.ts";
import type { Lyceum } from "./lyceum.ts";
import { fateOf, hasOddWord, printedBy, type Work } from "./work.ts";

interface Truth {
  books: Books;
  lyceum: Lyceum;
  /** HTTP status of Lyceum's verdict on each start. */
  verdicts: Map<string, number>;
  /** Ids of jobs and runs that somebody asked to cancel. */
  cancelsAsked: Set<string>;
  /** When the cancellation of a run was acknowledged. */
  cancelledAt: Map<string, number>;
  /** From then on nothing went wrong any more. */
  calmAt: number;
  /** The clock was set forward: two reads of a log may have followed each other too soon to see it grow. */
  hasLeapt: boolean;
  /** An execution of a deleted job. */
  isForgotten(executionId: string): boolean;
  compareBills(): void;
  compareGivenUp(id: string, kind: string): void;
}

/** In calm weather a cancellation reaches Lyceum within this. */
const CANCEL_MS = 4 * 60_000;

interface Known {
  job: JobEntry;
  run: RunEntry;
  executions: ExecutionEntry[];
  siblings: RunEntry[];
}

export function compareWithReference(truth: Truth): void {
  const { books, lyceum } = truth;
  const runs = books.runs();
  const executions = Map.groupBy(books.executions(), (execution) => execution.run_id);
  for (const job of books.jobs()) {
    const siblings = runs.filter((run) => run.job_id === job.id);
    for (const run of siblings) {
      compareRun({ job, run, siblings, executions: executions.get(run.id) ?? [] }, truth);
    }
  }
  compareArtifacts(truth);
  truth.compareBills();
  for (const work of lyceum.works) {
    const entry = books.execution(work.marker);
    if (entry === null && truth.isForgotten(work.marker)) continue;
    demand(entry !== null, () => `${work.id} runs for an execution that the books forgot`);
    const since = Math.max(
      truth.cancelledAt.get(entry?.run_id ?? "") ?? Infinity,
      truth.calmAt,
      work.visibleAt,
    );
    const isHeard = work.abortAskedAt !== null || work.endsAt - since < CANCEL_MS;
    demand(isHeard, () => `${work.id} was never told of the cancellation of ${entry?.run_id}`);
    demand(
      !lyceum.isLive(work) || work.abortAskedAt !== null,
      () => `${work.id} is left running for ${entry?.id} (${entry?.status})`,
    );
  }
}

function compareRun(known: Known, truth: Truth): void {
  const { job, run, executions } = known;
  const ends = executions.map((execution) => endOf(execution, truth));
  const last = executions.findIndex((execution) => execution.id === run.execution_id);
  demand(run.attempt === executions.length, () => {
    return `${run.id} counts ${run.attempt} attempts and has ${executions.length} executions`;
  });
  demand(run.attempt <= Math.max(job.retry_max_attempts, 0), () => `${run.id} was tried too often`);
  // A start that Lyceum did not take leaves no execution behind, and no name.
  const isLast = last === executions.length - 1 || run.execution_id === null;
  demand(isLast, () => `${run.id} does not name its last execution`);
  for (const [index, end] of ends.slice(0, -1).entries()) {
    demand(
      isRetried(end, job) || (isReadAsFailed(executions[index], truth) && isRetried("failed", job)),
      () => `${run.id} was tried again after ${end}, which its policy does not say`,
    );
  }
  checkCancellation(known, truth);
  const end = ends.at(-1) ?? "never started";
  const expected = [outcomeOf(run, end)];
  if (isReadAsFailed(executions.at(-1), truth)) expected.push(outcomeOf(run, "failed"));
  if (run.attempt < job.retry_max_attempts && isRetried(end, job)) {
    demand(run.cancel_mode !== null, () => `${run.id} gave up after ${end}, its policy grants another try`);
    // The cancellation came before that end, or while the run waited for its next attempt.
    expected.push(outcomeOf(run, "never started"));
  }
  const found = `${run.status} ${run.error_code ?? ""}`.trim();
  demand(expected.includes(found), () => `${run.id} ended as ${found}, the reference says ${expected[0]}`);
}

/**
 * The history tells no return code: an end under an unknown word that is read there, while the record is missing or
 * another's, counts as failed.
 */
function isReadAsFailed(execution: ExecutionEntry | undefined, { lyceum }: Truth): boolean {
  const work = lyceum.works.find((one) => one.marker === execution?.id);
  return work !== undefined && hasOddWord(work);
}

/** Returns the end of an execution at Lyceum as one word. */
function endOf(execution: ExecutionEntry, { lyceum, verdicts }: Truth): string {
  if (execution.status === "lost") return "lost";
  if (verdicts.get(execution.id) === 422) return "rejected";
  const work = lyceum.works.find((one) => one.marker === execution.id);
  demand(work?.id === execution.lyceum_execution_id, () => `${execution.id} is taken for another execution`);
  if (work === undefined) return "unknown";
  return fateOf(work);
}

function isRetried(end: string, job: JobEntry): boolean {
  return job.retry_on.includes(`"${end}"`) || (end === "lost" && job.on_lost === "retry");
}

function outcomeOf({ cancel_cause }: RunEntry, end: string): string {
  const stopped = cancel_cause === "deadline" ? "failed deadline_exceeded" : "cancelled cancelled";
  if (end === "completed") return "succeeded";
  if (end === "aborted" || end === "cancelled" || end === "never started") return stopped;
  const isOurs = end === "rejected" || end === "lost";
  if (cancel_cause === "deadline" || (cancel_cause !== null && isOurs)) return stopped;
  return `failed ${end}`;
}

/** Nobody is cancelled without a reason. */
function checkCancellation({ job, run, siblings }: Known, { cancelsAsked }: Truth): void {
  const hasReason = {
    request: () => cancelsAsked.has(run.id) || cancelsAsked.has(job.id),
    deadline: () => job.deadline_at !== null,
    run_failure: () =>
      job.on_run_failure === "cancel_rest" && siblings.some((other) => other.status === "failed"),
  }[run.cancel_cause ?? ""];
  demand(run.cancel_cause === null || hasReason?.() === true, () => {
    return `${run.id} was cancelled (${run.cancel_cause}) for no reason`;
  });
}

/** Nothing is pending, and what is stored is the output of the right execution. */
function compareArtifacts({ books, lyceum, hasLeapt, compareGivenUp }: Truth): void {
  const works = new Map(lyceum.works.map((work): [string, Work] => [work.marker, work]));
  const executions = new Map(books.executions().map((execution) => [execution.id, execution]));
  const found = Map.groupBy(books.artifacts(), (artifact) => artifact.execution_id);
  for (const { id, lyceum_execution_id, status } of executions.values()) {
    if (lyceum_execution_id === null || status === "lost") continue;
    const artifacts = found.get(id) ?? [];
    demand(artifacts.length === 4, () => `${id} has ${artifacts.length} artifacts`);
    const work = works.get(id);
    const printed = work === undefined ? null : printedBy(work);
    const isLogged = artifacts.some(({ kind, document }) => kind === "record" && document !== null);
    // Without the record nothing says that a log has stopped too early.
    const isKnowable = !hasLeapt && (isLogged || work?.tailMs === 0);
    for (const { kind, state, summary, document } of artifacts) {
      demand(state !== "pending", () => `the ${kind} of ${id} is still pending`);
      const isThere = work !== undefined && (kind !== "metrics" || work.hasMetrics);
      // The bounds of collecting are kept by the wall clock: set forward, it makes them shorter.
      if (state === "unavailable" && isThere && !hasLeapt) compareGivenUp(work.id, kind);
      if (document === null) continue;
      if (kind === "record") {
        const { stdout } = unpackDocument(document) as { stdout: string };
        demand(
          stdout === (work?.isEndless ? "" : printed),
          () => `the record of ${id} says ${JSON.stringify(stdout)}`,
        );
      }
      if (kind === "logs" && isKnowable && JSON.parse(summary ?? "{}").complete) {
        const lines = (unpackDocument(document) as { message: string }[]).map(
          (entry) => `${entry.message}\n`,
        );
        demand(lines.join("") === printed, () => `the complete log of ${id} has ${lines.length} lines`);
      }
    }
  }
}
