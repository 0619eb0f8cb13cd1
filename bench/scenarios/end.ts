// From an execution's end at Lyceum to the answer that a waiting caller gets, in round trips to Lyceum.
import { join } from "node:path";
import { openWay } from "../../test/chaos/way.ts";
import { alone, type Scenario } from "../measure.ts";
import { authorization, type Running, startServer, startService } from "../service.ts";

export const end: Scenario = {
  name: "end",
  includes:
    "Runs one after the other, each a job of its own, with a Lyceum whose every call takes 100 ms on the way: from the moment " +
    "its callback was received to the answer of `?wait=60s`, for the outcome and for the end with all artifacts, by our " +
    "own times in whole milliseconds. The callback itself is not delayed.",
  async run(bench) {
    const emulator = await startServer("emulator", {}, "/__emulator");
    const way = await openWay(emulator.port);
    way.setDelay(ROUND_TRIP_MS / 2);
    const lyceumUrl = `http://127.0.0.1:${way.port}/api/v2/external`;
    const ours = await startService({ database: join(bench.directory, "end.db"), lyceumUrl });
    const runs = bench.size(20, 2);
    const outcomes: number[] = [];
    const ends: number[] = [];
    try {
      await endOf(ours, "outcome");
      const before = await calls(emulator);
      for (let run = 0; run < runs; run++) {
        bench.progress(`end at Lyceum to the answer, run ${run + 1}`);
        outcomes.push((await endOf(ours, "outcome")) / ROUND_TRIP_MS);
        ends.push((await endOf(ours, "end")) / ROUND_TRIP_MS);
      }
      const callsPerRun = ((await calls(emulator)) - before) / (2 * runs);
      const unit = "round trips";
      return [
        alone(outcomes, { name: "end at Lyceum to the answered outcome", unit, goal: { atMost: 1.15 } }),
        alone(ends, { name: "end at Lyceum to the answered end", unit, goal: null }),
        alone([callsPerRun], {
          name: "calls to Lyceum per run, 100 ms each",
          unit: "",
          goal: { atMost: 5.5 },
        }),
      ];
    } finally {
      await ours.stop();
      way.close();
      await emulator.stop();
    }
  },
};

const ROUND_TRIP_MS = 100;

/** Milliseconds from the callback to the answer of the wait. */
async function endOf(ours: Running, awaited: "outcome" | "end"): Promise<number> {
  const docker_run_cmd = ["true", "# emulator: delay=300ms"];
  const run = { kind: "image", docker_image_ref: "python:3.13", docker_run_cmd };
  const job = await json<{ id: string }>(ours, "/v1/jobs", { runs: [run] });
  await json(ours, `/v1/jobs/${job.id}?wait=60s&for=${awaited}`);
  const answeredAt = Date.now();
  const { data } = await json<{ data: { executions: { id: string }[] }[] }>(ours, `/v1/jobs/${job.id}/runs`);
  const callbacks = await json<{ data: { received_at: string }[] }>(
    ours,
    `/v1/executions/${data[0]?.executions[0]?.id}/callbacks`,
  );
  // The run leaves nothing to do when the next one begins.
  await json(ours, `/v1/jobs/${job.id}?wait=60s`);
  return answeredAt - Date.parse(callbacks.data[0]?.received_at ?? "");
}

async function json<T>({ url }: Running, path: string, body?: object): Promise<T> {
  const headers = { ...authorization, "Content-Type": "application/json" };
  const options = body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) };
  const answer = await fetch(url + path, options);
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return (await answer.json()) as T;
}

async function calls({ url }: Running): Promise<number> {
  const answer = await fetch(`${url}/__emulator/state?limit=0`);
  const { call_counts } = (await answer.json()) as { call_counts: Record<string, number> };
  return Object.values(call_counts).reduce((sum, count) => sum + count, 0);
}
