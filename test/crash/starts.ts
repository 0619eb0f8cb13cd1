// The promise that costs money when broken: every run is started once, and again only when its job's retry policy
// grants it after an end.
import type { ExecutionView, JobView, RunView } from "./api.ts";
import { type Evidence, ourId } from "./evidence.ts";
import type { Violation } from "./verdict.ts";

export function startedOnce({ runs, jobs, lyceum }: Evidence): Violation[] {
  const ofExecution = Map.groupBy(lyceum, ourId);
  const known = new Set(runs.flatMap((run) => run.executions.map((execution) => execution.id)));
  const jobsById = new Map(jobs.map((job) => [job.id, job]));
  return [
    ...[...ofExecution].flatMap(([id, starts]) => {
      if (starts.length > 1) return [{ about: id, text: `${starts.length} starts of one execution` }];
      return known.has(id) ? [] : [{ about: id, text: "started at Lyceum, unknown to the service" }];
    }),
    ...runs.flatMap((run) => [
      ...tookPlace(run, ofExecution),
      ...oneAtATime(run, ofExecution),
      ...granted(run, jobsById.get(run.job_id)),
    ]),
  ];
}

/** No window holds more starts than the limit allows; `latencyMs` lies between our counting and Lyceum's. */
export function limitKept({ lyceum }: Evidence, limit: StartLimit | null, latencyMs: number): Violation[] {
  if (limit === null) return [];
  const { max, windowMs } = limit;
  const times = lyceum.map((execution) => execution.acceptedAt).sort((a, b) => a - b);
  const tight = times.flatMap((at, index) => {
    const spanMs = at - (times[index - max] ?? Number.NEGATIVE_INFINITY);
    return spanMs < windowMs - latencyMs ? [spanMs] : [];
  });
  if (tight.length === 0) return [];
  const text = `the start limit was passed ${tight.length} times: ${max + 1} starts within ${Math.min(...tight)} ms`;
  return [{ about: null, text }];
}

export interface StartLimit {
  max: number;
  windowMs: number;
}

type Starts = Map<string, Evidence["lyceum"]>;

/** The attempts in the service are the starts that Lyceum accepted, except starts that nobody could confirm. */
function tookPlace(run: RunView, ofExecution: Starts): Violation[] {
  const wrong = run.executions.flatMap((execution) => {
    const accepted = ofExecution.get(execution.id)?.[0];
    if (accepted === undefined) {
      const isExplained = execution.status === "lost" && execution.lyceum_execution_id === null;
      return isExplained ? [] : [`${execution.id} is ${execution.status}, but was never accepted`];
    }
    if (execution.status === "lost") return [`${execution.id} was given up as lost, but Lyceum has it`];
    return accepted.executionId === execution.lyceum_execution_id
      ? []
      : [`${execution.id} has Lyceum's id ${execution.lyceum_execution_id}, not ${accepted.executionId}`];
  });
  if (run.attempts !== run.executions.length)
    wrong.push(`${run.attempts} attempts, but ${run.executions.length} executions`);
  return wrong.map((text) => ({ about: run.id, text }));
}

function oneAtATime(run: RunView, ofExecution: Starts): Violation[] {
  const lives = run.executions
    .flatMap((execution) => ofExecution.get(execution.id) ?? [])
    .sort((a, b) => a.acceptedAt - b.acceptedAt);
  return lives.flatMap((life, index) => {
    const before = lives[index - 1];
    if (before === undefined || (before.endedAt ?? Number.POSITIVE_INFINITY) <= life.acceptedAt) return [];
    return [{ about: run.id, text: `${before.executionId} and ${life.executionId} were alive together` }];
  });
}

function granted(run: RunView, job: JobView | undefined): Violation[] {
  if (job === undefined) return [{ about: run.id, text: "belongs to no job" }];
  const followed = run.executions.toSorted((a, b) => a.attempt - b.attempt).slice(0, -1);
  return followed
    .filter((execution) => !grants(job, execution))
    .map(({ id, status }) => ({ about: run.id, text: `nothing granted a start after ${id}, ${status}` }));
}

function grants({ retry, on_lost }: JobView, { status, attempt }: ExecutionView): boolean {
  const isAllowed = retry.on.includes(status) || (status === "lost" && on_lost === "retry");
  return isAllowed && attempt < retry.max_attempts;
}
