// Reading a job, compared with the same server that answers a constant of that size.
import { join } from "node:path";
import { requestBytes } from "../load/connection.ts";
import { closedLoop } from "../load/loop.ts";
import { interleave, ratioOf, type Scenario } from "../measure.ts";
import { addRuns, createDatabase, jobId } from "../rows.ts";
import { authorization, startServer, startService, startSilentLyceum } from "../service.ts";

export const read: Scenario = {
  name: "read",
  includes:
    "`GET /v1/jobs/{id}` of ended jobs, another one each time: API key, one row, the view with its counts and times; " +
    "log and metrics as shipped. The bare server answers a constant object of the same size.",
  async run(bench) {
    const database = join(bench.directory, "read.db");
    const jobs = bench.size(1_000, 10);
    await createDatabase(database);
    await addRuns(database, "ended", { from: 0, count: jobs * 100 });
    const lyceum = await startSilentLyceum();
    const ours = await startService({ database, lyceumUrl: lyceum.url });
    const answer = await fetch(`${ours.url}/v1/jobs/${jobId(0)}`, { headers: authorization });
    const bare = await startServer("bare", { ANSWER: await answer.text() });
    const requests = Array.from({ length: jobs }, (_, index) =>
      requestBytes("GET", `/v1/jobs/${jobId(index)}`, { headers: authorization }),
    );
    let asked = 0;
    const next = () => requests[asked++ % requests.length] as Buffer;
    const arm = (port: number) => () => closedLoop({ port, connections: 50, seconds: bench.seconds, next });
    const arms = { ours: arm(ours.port), theirs: arm(bare.port) };
    try {
      const rounds = await interleave(bench, "job reads, 50 connections", arms, 2);
      const figure = { name: "job reads, 50 connections", unit: "req/s", against: "constant of that size" };
      return [ratioOf(rounds, "perSecond", { ...figure, goal: { atLeast: 0.6 } })];
    } finally {
      lyceum.stop();
      await Promise.all([ours.stop(), bare.stop()]);
    }
  },
};
