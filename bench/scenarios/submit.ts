// Jobs of one run, each with an idempotency key, beside the same server that parses and echoes.
import { join } from "node:path";
import { requestBytes } from "../load/connection.ts";
import { closedLoop } from "../load/loop.ts";
import { type Bench, interleave, ratioOf, type Scenario } from "../measure.ts";
import { authorization, startServer, startService, startSilentLyceum } from "../service.ts";

export const submit: Scenario = {
  name: "submit",
  includes:
    "API key, zod, idempotency key (new each time), job, run, compressed spec and two events, one commit with " +
    "synchronous=FULL before the 202; log and metrics as shipped. Lyceum does not answer meanwhile. The bare server " +
    "parses with the same schema and echoes what it parsed.",
  async run(bench) {
    const lyceum = await startSilentLyceum();
    const database = join(bench.directory, "submit.db");
    const ours = await startService({ database, lyceumUrl: lyceum.url });
    const bare = await startServer("bare");
    const arm = (port: number) => () => load(bench, port);
    try {
      await load(bench, ours.port);
      await load(bench, bare.port);
      const arms = { ours: arm(ours.port), theirs: arm(bare.port) };
      const rounds = await interleave(bench, "submissions, 50 connections", arms);
      const against = "bare server";
      return [
        ratioOf(rounds, "perSecond", {
          name: "submissions, 50 connections",
          unit: "req/s",
          against,
          goal: { atLeast: 0.5 },
        }),
        ratioOf(rounds, "p99", { name: "submission p99, 50 connections", unit: "ms", against, goal: null }),
      ];
    } finally {
      lyceum.stop();
      await Promise.all([ours.stop(), bare.stop()]);
    }
  },
};

function load({ seconds }: Bench, port: number) {
  return closedLoop({ port, connections: 50, seconds, next: submissionRequest });
}

let submitted = 0;

export function submissionRequest(): Buffer {
  const key = `key-${process.pid}-${submitted++}`;
  const headers = { ...authorization, "Content-Type": "application/json", "Idempotency-Key": key };
  return requestBytes("POST", "/v1/jobs", { headers, body: oneRun });
}

const oneRun = JSON.stringify({
  name: "bench",
  runs: [
    {
      kind: "python",
      name: "a",
      code: "print(1 + 1)",
      timeout: 60,
      env: { LR: "0.1" },
      execution_type: "cpu",
    },
  ],
  retry: { max_attempts: 3, on: ["system_failure"] },
  metadata: { experiment: 7 },
});
