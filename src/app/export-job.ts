// A finished job as one line of JSON, as the API shows it to a reader. Written piece by piece: it may have 10,000 runs.
import type { Caller } from "../http/auth.ts";
import { viewEvent, viewJob, viewRun } from "../http/views/view.ts";
import { nextTurn } from "../lib/next-turn.ts";
import { listArtifacts } from "../store/artifacts.ts";
import type { Db } from "../store/db/transaction.ts";
import { readEvents } from "../store/events.ts";
import { listExecutions } from "../store/executions.ts";
import type { JobRow } from "../store/jobs.ts";
import { listRuns } from "../store/runs.ts";

export async function* exportJob(db: Db, job: JobRow): AsyncGenerator<string> {
  yield `{"job":${JSON.stringify({ ...viewJob(job, READER), key: job.api_key })},"runs":[`;
  yield* separated(runsOf(db, job.id));
  yield `],"events":[`;
  yield* separated(eventsOf(db, job.id));
  yield "]}\n";
}

/** Secrets in a webhook's URL are hidden. */
const READER: Caller = { name: "export", role: "read" };

async function* runsOf(db: Db, jobId: string): AsyncGenerator<object> {
  for (let after = -1; ; ) {
    const runs = await listRuns(db, jobId, after, PAGE);
    const executions = await listExecutions(
      db,
      runs.map(({ id }) => id),
    );
    const byRun = Map.groupBy(executions, ({ runId }) => runId);
    const artifacts = await listArtifacts(
      db,
      executions.map(({ id }) => id),
    );
    const byExecution = Map.groupBy(artifacts, ({ execution_id }) => execution_id);
    for (const run of runs)
      yield viewRun(run, byRun.get(run.id) ?? [], byExecution.get(run.execution_id ?? "") ?? []);
    const last = runs.at(-1);
    if (last === undefined || runs.length < PAGE) return;
    after = last.position;
    await nextTurn();
  }
}

async function* eventsOf(db: Db, jobId: string): AsyncGenerator<object> {
  for (let after = 0; ; ) {
    const { events } = await readEvents(db, { owner: null, jobId }, after, PAGE);
    for (const event of events) yield viewEvent(event);
    const last = events.at(-1);
    if (last === undefined || events.length < PAGE) return;
    after = last.seq;
    await nextTurn();
  }
}

async function* separated(values: AsyncIterable<object>): AsyncGenerator<string> {
  let isFirst = true;
  for await (const value of values) {
    yield (isFirst ? "" : ",") + JSON.stringify(value);
    isFirst = false;
  }
}

const PAGE = 200;
