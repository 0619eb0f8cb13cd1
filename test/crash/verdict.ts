// The evidence against what was promised. Each check answers what is wrong and with what.
import type { RunView } from "./api.ts";
import { answeredCallbacks, type Evidence, ourId } from "./evidence.ts";
import { limitKept, type StartLimit, startedOnce } from "./starts.ts";

export interface Violation {
  /** Id of the job, run or execution; null when it is about the whole. */
  about: string | null;
  text: string;
}

export function judge(evidence: Evidence, limit: StartLimit | null): Violation[] {
  return [
    ...jobsKept(evidence),
    ...cancellationsKept(evidence),
    ...callbacksKept(evidence),
    ...startedOnce(evidence),
    ...limitKept(evidence, limit, startLatencyMs),
    ...endedRight(evidence),
    ...artifactsIn(evidence),
    ...eventsWhole(evidence),
    ...booksBalanced(evidence),
  ];
}

/** From the durable claim to the acceptance, on a machine that is busy. */
const startLatencyMs = 2_000;

function jobsKept({ acknowledged, replays, jobs, runs }: Evidence): Violation[] {
  const byId = new Map(jobs.map((job) => [job.id, job]));
  const runsOf = Map.groupBy(runs, (run) => run.job_id);
  const twice = [...Map.groupBy(jobs, (job) => job.name)].filter(([, same]) => same.length > 1);
  return [
    ...acknowledged.flatMap(({ jobId, idempotencyKey, body }, index) => {
      const job = byId.get(jobId);
      if (job === undefined) return [{ about: jobId, text: `acknowledged as ${idempotencyKey}, and gone` }];
      const found: string[] = [];
      if (job.name !== idempotencyKey)
        found.push(`is ${job.name}, but was acknowledged as ${idempotencyKey}`);
      const had = runsOf.get(jobId)?.length ?? 0;
      if (had !== body.runs.length) found.push(`has ${had} of its ${body.runs.length} runs`);
      if (replays[index] !== jobId) found.push(`its key is answered with ${replays[index] ?? "no replay"}`);
      return found.map((text) => ({ about: jobId, text }));
    }),
    ...twice.map(([name, same]) => ({ about: same[0]?.id ?? null, text: `${name}: ${same.length} jobs` })),
    ...(jobs.length === acknowledged.length
      ? []
      : [{ about: null, text: `${acknowledged.length} jobs acknowledged, ${jobs.length} there` }]),
  ];
}

function cancellationsKept({ acknowledged, jobs }: Evidence): Violation[] {
  const cancelled = new Set(acknowledged.filter((one) => one.isCancelled).map((one) => one.jobId));
  return jobs
    .filter((job) => cancelled.has(job.id) && job.cancellation === null)
    .map((job) => ({ about: job.id, text: "its cancellation was acknowledged, and is forgotten" }));
}

function callbacksKept({ lyceum, callbacks }: Evidence): Violation[] {
  return lyceum.flatMap((execution) => {
    const id = ourId(execution);
    const answered = Math.min(answeredCallbacks(execution), mostCallbacksKept);
    const kept = callbacks.get(id) ?? 0;
    return kept >= answered ? [] : [{ about: id, text: `${answered} callbacks answered 2xx, ${kept} kept` }];
  });
}

const mostCallbacksKept = 32;

function endedRight({ runs, lyceum }: Evidence): Violation[] {
  const truth = new Map(lyceum.map((execution) => [ourId(execution), execution]));
  return runs.flatMap((run) => {
    const wrong = run.executions.flatMap(({ id, status }) => {
      const there = truth.get(id);
      if (there === undefined || there.status === status) return [];
      return [`${id} is ${status}, at Lyceum it is ${there.status}`];
    });
    const last = run.executions.toSorted((a, b) => a.attempt - b.attempt).at(-1);
    const wanted = outcomes(last?.status ?? "never started", run);
    if (!wanted.includes(run.status))
      wrong.push(`is ${run.status} after ${last?.status ?? "no start"}, not ${wanted.join(" or ")}`);
    return wrong.map((text) => ({ about: run.id, text }));
  });
}

/** The outcomes that a run may have after this last event. */
function outcomes(last: string, { cancellation, error }: RunView): string[] {
  if (last === "completed") return ["succeeded"];
  if (last === "failed" || last === "system_failure")
    return cancellation === null ? ["failed"] : ["failed", "cancelled"];
  if (last === "lost" && cancellation === null) return ["failed"];
  const isDeadline = cancellation?.cause === "deadline" && error?.code === "deadline_exceeded";
  return cancellation === null ? [] : [isDeadline ? "failed" : "cancelled"];
}

function artifactsIn({ runs, artifacts }: Evidence): Violation[] {
  const ofExecution = Map.groupBy(artifacts, (artifact) => artifact.execution_id);
  const ended = runs.flatMap((run) => run.executions.filter((one) => one.lyceum_execution_id !== null));
  return ended.flatMap(({ id }) => {
    const rows = ofExecution.get(id) ?? [];
    const found = rows
      .filter((row) => row.state === "pending" || (row.state === "unavailable" && !row.reason))
      .map((row) => `its ${row.kind} is ${row.state} without a reason`);
    if (rows.length !== artifactKinds) found.push(`has ${rows.length} of ${artifactKinds} artifacts`);
    return found.map((text) => ({ about: id, text }));
  });
}

const artifactKinds = 4;

function eventsWhole({ events, jobs, runs }: Evidence): Violation[] {
  const gap = events.findIndex((event, index) => event.seq !== index + 1);
  const holes =
    gap === -1
      ? []
      : [{ about: null, text: `event ${gap + 1} is missing: ${events[gap]?.seq} stands there` }];
  const ofRun = Map.groupBy(
    events.filter((event) => event.type.startsWith("run.")),
    (event) => event.run_id ?? "",
  );
  const ofJob = Map.groupBy(
    events.filter((event) => event.type.startsWith("job.")),
    (event) => event.job_id,
  );
  return [
    ...holes,
    ...runs.flatMap(({ id, status }) => endsOnce(id, `run.${status}`, ofRun.get(id) ?? [])),
    ...jobs.flatMap(({ id, status }) => endsOnce(id, `job.${status}`, ofJob.get(id) ?? [])),
  ];
}

/** One terminal event, the right one, and nothing after it. */
function endsOnce(id: string, wanted: string, events: { type: string }[]): Violation[] {
  const ends = events.filter(({ type }) => /\.(succeeded|failed|cancelled)$/.test(type));
  const isRight = ends.length === 1 && ends[0]?.type === wanted && events.at(-1) === ends[0];
  return isRight ? [] : [{ about: id, text: `its events are ${events.map((one) => one.type).join(", ")}` }];
}

function booksBalanced({ jobs, runs, status, damage }: Evidence): Violation[] {
  const runsOf = Map.groupBy(runs, (run) => run.job_id);
  const { depth, live, collecting, without_wakeup } = status.queue;
  return [
    ...jobs.flatMap(({ id, counts, ended_at }) => {
      const real = Map.groupBy(runsOf.get(id) ?? [], (run) => run.status);
      const wrong = Object.entries(counts).filter(([word, count]) => count !== (real.get(word)?.length ?? 0));
      const found = wrong.map(
        ([word, count]) => `counts ${count} ${word} runs, has ${real.get(word)?.length ?? 0}`,
      );
      if (ended_at === null) found.push("has not ended");
      return found.map((text) => ({ about: id, text }));
    }),
    ...(depth + live + collecting + without_wakeup === 0
      ? []
      : [{ about: null, text: `not at rest: ${JSON.stringify(status.queue)}` }]),
    ...(status.callbacks.in_inbox === 0
      ? []
      : [{ about: null, text: `not at rest: ${status.callbacks.in_inbox} callbacks in the inbox` }]),
    ...damage.map((text) => ({ about: null, text: `database: ${text}` })),
  ];
}
