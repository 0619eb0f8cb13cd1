// The callers: they submit jobs, submit them again when no answer came, cancel, read and retry by hand.
import type { Agenda } from "./agenda.ts";
import type { Books } from "./books.ts";
import type { Call, Reply } from "./host.ts";
import { demand } from "./invariants.ts";
import type { Judge } from "./judge.ts";
import type { Lyceum } from "./lyceum.ts";
import type { Random } from "./random.ts";

interface ClientOptions {
  random: Random;
  agenda: Agenda;
  books: Books;
  call: Call;
  lyceum: Lyceum;
  judge: Judge;
  keys: { name: string; key: string }[];
  /** Within this time they begin what they do. */
  forMs: number;
  /** They also delete jobs. */
  deletes: boolean;
  trace(line: string): void;
  guard<T>(work: () => Promise<T>): void;
}

const SECOND = 1_000;

export interface Clients {
  /** Jobs whose submission was not answered yet. */
  unanswered(): number;
  /** Ids of jobs and runs that somebody asked to cancel, whether or not an answer came. */
  cancelsAsked: Set<string>;
}

export function createClients(options: ClientOptions): Clients {
  const { random, agenda, books, lyceum, judge, keys, forMs, deletes, trace, guard } = options;
  const { deletions } = judge;
  const cancelsAsked = new Set<string>();
  const owner = new Map<string, string>();
  const named = new Map<string, string>();
  let unanswered = 0;

  const jobs = random.between(1, 4);
  for (let number = 1; number <= jobs; number++) {
    const name = `job-${number}`;
    const { key } = random.pick(keys);
    const body = JSON.stringify(draw(name));
    unanswered++;
    at(random.between(0, forMs / 2), () => submit(name, key, body));
  }
  const deeds = random.between(0, 5);
  for (let deed = 0; deed < deeds; deed++) {
    at(random.between(forMs / 10, forMs), random.pick([cancelJob, cancelRun, cancelRun, retryRun, look]));
  }

  if (deletes) for (let count = 0; count < 4; count++) at(random.between(forMs / 5, forMs), deleteJob);

  lyceum.onEnd(({ isEndless, marker }) => {
    if (isEndless) at(random.between(60 * SECOND, 1_200 * SECOND), () => cancelHanging(marker));
  });

  function draw(name: string) {
    const runs = Array.from({ length: random.between(1, 4) }, (_, index) => {
      const common = { name: `r${index}`, timeout: random.pick([5, 60, 300, 600]) };
      return random.pick([
        { kind: "python", code: "print(1)", ...common },
        { kind: "python", code: "print(1)", ...common },
        { kind: "image", docker_image_ref: "python:3.13", ...common },
        { kind: "gpu_selection", code: "print(2)", ...common },
      ]);
    });
    return {
      name,
      runs,
      priority: random.between(-1, 1),
      max_parallel: random.chance(0.3) ? random.between(1, 2) : null,
      on_run_failure: random.chance(0.2) ? "cancel_rest" : "continue",
      on_lost: random.pick(["fail", "retry"]),
      retry: {
        max_attempts: random.between(1, 3),
        on: ["system_failure", "failed", "timeout", "lost"].filter(() => random.chance(0.4)),
      },
      deadline_s: random.chance(0.15) ? random.between(60, 900) : null,
    };
  }

  async function submit(name: string, key: string, body: string): Promise<void> {
    const reply = await call("POST", "/v1/jobs", key, body, { "idempotency-key": name });
    trace(`caller    submits ${name}: ${reply?.status ?? "nobody answers"}`);
    if (reply === null || reply.status >= 500) {
      return at(random.between(SECOND, 60 * SECOND), () => submit(name, key, body));
    }
    const isDeleted =
      reply.status === 409 && [...owner].some(([id]) => named.get(id) === name && deletions.isAsked(id));
    if (isDeleted) return void unanswered--;
    demand(reply.status === 202 || reply.status === 200, () => `a submission is answered: ${show(reply)}`);
    unanswered--;
    const id = String(reply.json.id);
    owner.set(id, key);
    named.set(id, name);
    judge.acknowledgeJob(id, name);
    // Some callers do not trust an answer and ask once more.
    if (random.chance(0.1)) {
      unanswered++;
      at(random.between(0, 30 * SECOND), () => submit(name, key, body));
    }
  }

  /** The caller cancels a run that hangs, as often as it takes. */
  async function cancelHanging(marker: string): Promise<void> {
    const runId = books.execution(marker)?.run_id ?? "";
    const run = books.runs().find(({ id }) => id === runId);
    if (run === undefined || run.ended_at !== null || run.cancel_mode !== null) return;
    cancelsAsked.add(runId);
    const key = owner.get(run.job_id) ?? "";
    const reply = await call("POST", `/v1/runs/${runId}/cancel`, key, JSON.stringify({ mode: "abort" }));
    trace(`caller    gives up on run ${runId.slice(-6)}: ${reply?.status ?? "nobody answers"}`);
    if (reply?.status === 200) judge.acknowledgeCancel(runId);
    else at(60 * SECOND, () => cancelHanging(marker));
  }

  async function cancelJob(): Promise<void> {
    const [id, key] = [...owner][random.between(0, Math.max(owner.size - 1, 0))] ?? [];
    if (id === undefined || key === undefined) return;
    const wanted = books.runs().filter((run) => run.job_id === id && run.ended_at === null);
    const isOver = books.jobs().find((job) => job.id === id)?.ended_at != null;
    cancelsAsked.add(id);
    const mode = random.pick(["abort", "stop"]);
    const reply = await call("POST", `/v1/jobs/${id}/cancel`, key, JSON.stringify({ mode }));
    trace(`caller    cancels job ${id.slice(-6)} (${mode}): ${reply?.status ?? "nobody answers"}`);
    if (reply?.status !== 200 || isOver) return;
    for (const run of wanted) judge.acknowledgeCancel(run.id);
  }

  /** A job whose end is known, or any: then it is refused. */
  async function deleteJob(): Promise<void> {
    const ended = books.jobs().filter((job) => job.ended_at !== null && owner.has(job.id));
    const id = ended.length > 0 ? random.pick(ended).id : [...owner.keys()].at(-1);
    if (id === undefined) return;
    deletions.ask(id);
    const reply = await call("DELETE", `/v1/jobs/${id}`, owner.get(id) ?? "", "");
    trace(`caller    deletes job ${id.slice(-6)}: ${reply?.status ?? "nobody answers"}`);
    const isFine = reply === null || [204, 404, 409].includes(reply.status) || reply.status >= 500;
    demand(isFine, () => `a deletion is answered: ${show(reply)}`);
    if (reply?.status === 204) deletions.acknowledge(id);
  }

  async function cancelRun(): Promise<void> {
    const run = anyRun((status) => status !== "succeeded");
    if (run === null) return;
    cancelsAsked.add(run.id);
    const mode = random.pick(["abort", "stop"]);
    const reply = await call("POST", `/v1/runs/${run.id}/cancel`, run.key, JSON.stringify({ mode }));
    trace(`caller    cancels run ${run.id.slice(-6)} (${mode}): ${reply?.status ?? "nobody answers"}`);
    if (reply?.status === 200) judge.acknowledgeCancel(run.id);
  }

  async function retryRun(): Promise<void> {
    const run = anyRun((status) => status === "failed" || status === "cancelled");
    if (run === null) return;
    const reply = await call("POST", `/v1/runs/${run.id}/retry`, run.key, "");
    trace(`caller    retries run ${run.id.slice(-6)}: ${reply?.status ?? "nobody answers"}`);
    const isGone = reply?.status === 404 && deletions.isMarked(run.jobId);
    const isFine = reply === null || isGone || [202, 409].includes(reply.status) || reply.status >= 500;
    demand(isFine, () => `a retry is answered: ${show(reply)}`);
  }

  async function look(): Promise<void> {
    for (const [id, key] of owner) {
      const wasDeleted = deletions.isAcknowledged(id);
      const reply = await call("GET", `/v1/jobs/${id}`, key, "");
      const isShown = reply?.status === 200 && !wasDeleted;
      const isHidden = reply?.status === 404 && deletions.isMarked(id);
      demand(reply === null || isShown || isHidden, () => `a job is shown as ${show(reply)}`);
    }
  }

  function anyRun(fits: (status: string) => boolean): { id: string; jobId: string; key: string } | null {
    const runs = books.runs().filter((run) => fits(run.status) && owner.has(run.job_id));
    if (runs.length === 0) return null;
    const run = random.pick(runs);
    return { id: run.id, jobId: run.job_id, key: owner.get(run.job_id) ?? "" };
  }

  function call(method: string, path: string, key: string, body: string, more: Record<string, string> = {}) {
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json", ...more };
    return options.call(method, path, headers, body);
  }

  function at(ms: number, deed: () => Promise<void>): void {
    agenda.after(ms, () => guard(deed));
  }

  return { unanswered: () => unanswered, cancelsAsked };
}

function show(reply: Reply | null): string {
  return reply === null ? "not at all" : `${reply.status} ${JSON.stringify(reply.json)}`;
}
