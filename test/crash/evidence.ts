// Everything that can be known when all is over: what was acknowledged, what the service says through its API, what
// its database holds, and what the emulator saw.
import type { ExecutionSnapshot } from "../../src/emulator/snapshot.ts";
import { type Api, createApi, type JobView, type RunView, type StatusView } from "./api.ts";
import type { Holdings, TrialDatabase } from "./database.ts";
import type { Acknowledged } from "./load.ts";

export interface EventRow {
  seq: number;
  type: string;
  created_at: number;
  job_id: string;
  run_id: string | null;
  execution_id: string | null;
  data: string;
}

export interface ArtifactRow {
  execution_id: string;
  kind: string;
  state: "pending" | "stored" | "unavailable";
  reason: string | null;
}

export interface Evidence extends Holdings {
  acknowledged: readonly Acknowledged[];
  /** Job ids that the same submission under the same key is answered with now, in the order of `acknowledged`. */
  replays: (string | null)[];
  jobs: JobView[];
  runs: RunView[];
  status: StatusView;
  /** Callbacks that the API shows, by our execution id; asked for where the emulator was answered 2xx. */
  callbacks: Map<string, number>;
  /** Starts that the emulator accepted, oldest first, without the sub-jobs of a GPU selection. */
  lyceum: ExecutionSnapshot[];
}

export interface Witnesses {
  url: string;
  /** By name; `admin` sees everything. */
  keys: Record<string, string>;
  database: TrialDatabase;
  acknowledged: readonly Acknowledged[];
  lyceum: ExecutionSnapshot[];
}

/** The service must be up and at rest. */
export async function gather({ url, keys, database, ...seen }: Witnesses): Promise<Evidence> {
  const admin = createApi(url, keys.admin ?? "");
  const lyceum = seen.lyceum.filter((execution) => execution.parentId === null);
  const called = lyceum.filter((execution) => answeredCallbacks(execution) > 0).map(ourId);
  const jobs = await admin.list<JobView>("/v1/jobs");
  const [runs, counts, replays] = [
    await inParallel(jobs, (job) => admin.list<RunView>(`/v1/jobs/${job.id}/runs`)),
    await inParallel(called, (id) => countCallbacks(admin, id)),
    await inParallel(seen.acknowledged, (one) => replay(createApi(url, keys[one.keyName] ?? ""), one)),
  ];
  return {
    acknowledged: seen.acknowledged,
    replays,
    jobs,
    runs: runs.flat(),
    status: await admin.get<StatusView>("/v1/status"),
    callbacks: new Map(called.map((id, index) => [id, counts[index] ?? 0])),
    ...(await database.read()),
    lyceum,
  };
}

/** Our id of an execution, as it travels in its file name. */
export function ourId({ fileName }: ExecutionSnapshot): string {
  return /exe_[0-9a-z]{26}/.exec(fileName ?? "")?.[0] ?? "none";
}

export function answeredCallbacks({ callbacks }: ExecutionSnapshot): number {
  return callbacks.filter(({ status = 0 }) => status >= 200 && status < 300).length;
}

async function countCallbacks(admin: Api, executionId: string): Promise<number> {
  const { status, body } = await admin.call<{ data?: object[] }>(
    "GET",
    `/v1/executions/${executionId}/callbacks?limit=100`,
  );
  return status === 200 ? (body.data?.length ?? 0) : 0;
}

async function replay(api: Api, { idempotencyKey, body }: Acknowledged): Promise<string | null> {
  const answer = await api.submit(idempotencyKey, body);
  return answer.status === 200 && answer.replayed ? answer.body.id : null;
}

/** Answers in the order of the items. */
async function inParallel<T, R>(items: readonly T[], ask: (item: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = [];
  for (let from = 0; from < items.length; from += atOnce) {
    answers.push(...(await Promise.all(items.slice(from, from + atOnce).map(ask))));
  }
  return answers;
}

const atOnce = 8;
