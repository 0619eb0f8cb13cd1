// The queue workers: several keys that submit all the time, repeat what was not answered under the same
// idempotency key, cancel some jobs, and remember every acknowledgement.
import { setTimeout as wait } from "node:timers/promises";
import { type Answer, type Api, createApi, type JobView, type StatusView } from "./api.ts";
import { drawJob, type JobBody } from "./jobs.ts";
import type { Random } from "./random.ts";

/** A submission that was answered 2xx. */
export interface Acknowledged {
  keyName: string;
  idempotencyKey: string;
  body: JobBody;
  jobId: string;
  /** The answer to a cancellation said that the job is being cancelled. */
  isCancelled: boolean;
}

export interface Load {
  readonly acknowledged: readonly Acknowledged[];
  /** Answers that no caller should get. */
  readonly complaints: readonly string[];
  /** Counts in what somebody else submitted. */
  remember(entry: Acknowledged): void;
  /** So many submissions at once, beside the steady ones. */
  burst(count: number): void;
  /** No new jobs; resolves when all that were begun are acknowledged. */
  finish(): Promise<void>;
}

/** Runs that have not ended: above this the workers hold back, or a slow machine would never catch up. */
const mostUnderWay = 80;
const meanPauseMs = 900;
const nothing: Answer<JobView> = { status: 0, replayed: false, body: {} as JobView };

export interface LoadOptions {
  url: string;
  keys: Record<string, string>;
  random: Random;
  /** By `performance.now()`: what is not answered by then never will be. */
  deadline: number;
  /** So many times the usual submissions. */
  pace: number;
}

export function startLoad({ url, keys, random, deadline, pace }: LoadOptions): Load {
  const acknowledged: Acknowledged[] = [];
  const complaints: string[] = [];
  const apis = Object.entries(keys).map(([name, key]) => ({ name, api: createApi(url, key) }));
  const underWay = new Set<Promise<void>>();
  let isOver = false;
  let backlog = 0;
  let submissions = 0;

  function begin(work: Promise<void>): void {
    const tracked = work.finally(() => underWay.delete(tracked));
    underWay.add(tracked);
  }

  async function submit(keyName: string, api: Api): Promise<void> {
    const idempotencyKey = `job ${++submissions} of ${keyName}`;
    const body = drawJob(random, idempotencyKey);
    // Some callers are impatient: the same submission twice at once, or once more although it was answered.
    const [isDoubled, isRepeated, isToBeCancelled] = [0.05, 0.05, 0.12].map((share) => random.chance(share));
    const send = () => insist(() => api.submit(idempotencyKey, body));
    const answers = await Promise.all(isDoubled ? [send(), send()] : [send()]);
    if (isRepeated) answers.push(await send());
    const ids = new Set(answers.map((answer) => answer.body.id));
    const statuses = answers.map((answer) => answer.status);
    if (ids.size !== 1 || statuses.some((status) => status !== 200 && status !== 202)) {
      complaints.push(`${idempotencyKey} was answered ${statuses.join(", ")} with ${[...ids].join(", ")}`);
      return;
    }
    const entry = { keyName, idempotencyKey, body, jobId: [...ids].join(), isCancelled: false };
    acknowledged.push(entry);
    if (isToBeCancelled) await cancel(api, entry);
  }

  async function cancel(api: Api, entry: Acknowledged): Promise<void> {
    await wait(random.between(0, 1_500));
    const mode = random.chance(0.3) ? "stop" : "abort";
    const answer = await insist(() => api.call<JobView>("POST", `/v1/jobs/${entry.jobId}/cancel`, { mode }));
    if (answer.status !== 200) complaints.push(`cancelling ${entry.jobId} was answered ${answer.status}`);
    else entry.isCancelled = answer.body.cancellation !== null;
  }

  /** As a good client does: the same request until there is an answer that is not the server's failure. */
  async function insist(send: () => Promise<Answer<JobView>>): Promise<Answer<JobView>> {
    for (;;) {
      const answer = await send().catch(() => null);
      const isAnswered = answer !== null && answer.status < 500;
      if (answer !== null && !isAnswered && answer.status !== 503)
        complaints.push(`a request was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
      if (isAnswered) return answer;
      if (performance.now() > deadline) return answer ?? nothing;
      await wait(random.between(20, 120));
    }
  }

  async function work(keyName: string, api: Api): Promise<void> {
    while (!isOver) {
      await wait(Math.min(random.exponential(meanPauseMs), 5 * meanPauseMs) / pace);
      if (!isOver && backlog < pace * mostUnderWay) await submit(keyName, api);
    }
  }

  async function watchBacklog(api: Api): Promise<void> {
    while (!isOver) {
      const { queue } = (await api.get<StatusView>("/v1/status").catch(() => null)) ?? {};
      if (queue !== undefined) backlog = queue.depth + queue.live;
      await wait(300);
    }
  }

  const workers = apis.flatMap(({ name, api }) => [work(name, api), work(name, api)]);
  const [first] = apis;
  if (first === undefined) throw new Error("there is no key to submit with");
  workers.push(watchBacklog(first.api));

  return {
    acknowledged,
    complaints,
    remember: (entry) => void acknowledged.push(entry),
    burst(count) {
      for (let nth = 0; nth < count; nth++) begin(submit(first.name, first.api));
    },
    async finish() {
      isOver = true;
      await Promise.all([...workers, ...underWay]);
    },
  };
}
