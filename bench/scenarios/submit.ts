// Jobs of one run with idempotency keys, compared with the same server that parses and echoes.
import { join } from "node:path";
import { requestBytes } from "../load/connection.ts";
import { loadOn } from "../load/cost.ts";
import { type Bench, interleave, ratioOf, type Scenario } from "../measure.ts";
import { authorization, type Running, startServer, startService, startSilentLyceum } from "../service.ts";

export const submit: Scenario = {
  name: "submit",
  includes:
    "API key, zod, idempotency key (a random UUID each time), job, run, compressed spec and two events, one commit with " +
    "synchronous=FULL before the 202; log and metrics as shipped. Lyceum does not answer meanwhile. The bare server " +
    "parses with the same schema and echoes what it parsed. Processor time is that of the server's process, all " +
    "threads, per answer.",
  async run(bench) {
    const lyceum = await startSilentLyceum();
    const database = join(bench.directory, "submit.db");
    const ours = await startService({ database, lyceumUrl: lyceum.url });
    const bare = await startServer("bare");
    const arm = (server: Running) => () => load(bench, server);
    try {
      const arms = { ours: arm(ours), theirs: arm(bare) };
      const rounds = await interleave(bench, "submissions, 50 connections", arms, 2);
      const against = "bare server";
      return [
        ratioOf(rounds, "perSecond", {
          name: "submissions, 50 connections",
          unit: "req/s",
          against,
          goal: { atLeast: 0.33 },
        }),
        ratioOf(rounds, "p99", { name: "submission p99, 50 connections", unit: "ms", against, goal: null }),
        ratioOf(rounds, "processorUs", {
          name: "processor time of a submission",
          unit: "µs",
          against,
          goal: null,
        }),
      ];
    } finally {
      lyceum.stop();
      await Promise.all([ours.stop(), bare.stop()]);
    }
  },
};

function load({ seconds }: Bench, server: Running) {
  return loadOn(server, { connections: 50, seconds, next: () => submissionRequest() });
}

export function submissionRequest(body = oneRun): Buffer {
  const key = crypto.randomUUID();
  const headers = { ...authorization, "Content-Type": "application/json", "Idempotency-Key": key };
  return requestBytes("POST", "/v1/jobs", { headers, body });
}

/** A job that lists each of its runs. */
export function submissionBody(runs: number): string {
  return JSON.stringify({
    name: "bench",
    runs: Array.from({ length: runs }, () => run),
    retry: { max_attempts: 3, on: ["system_failure"] },
    metadata: { experiment: 7 },
  });
}

const run = {
  kind: "python",
  name: "a",
  code: "print(1 + 1)",
  timeout: 60,
  env: { LR: "0.1" },
  execution_type: "cpu",
};
const oneRun = submissionBody(1);
