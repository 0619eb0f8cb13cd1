// From a callback to stored artifacts, compared with the HTTP calls alone.
import { join } from "node:path";
import { interleave, ratioOf, type Sample, type Scenario } from "../measure.ts";
import { authorization, type Running, startServer, startService } from "../service.ts";

export const collect: Scenario = {
  name: "collect",
  includes:
    "Runs one after the other, each a job of its own: from the moment its callback was received to its end, by our own " +
    "times in whole milliseconds, and so the mean of many; its record proves its log whole, so that nothing is read twice; the emulator answers at " +
    "once. Beside it the same four " +
    "documents read once, one after the other, by a plain client.",
  async run(bench) {
    const lyceum = await startServer("emulator", {}, "/__emulator");
    const lyceumUrl = `${lyceum.url}/api/v2/external`;
    const database = join(bench.directory, "collect.db");
    const ours = await startService({ database, lyceumUrl });
    const runs = bench.size(20, 1);
    const arms = {
      ours: () => sampled(runs, async () => (await oneRun(ours)).ms),
      theirs: () => sampled(runs, async () => sumOfCalls(lyceumUrl, (await oneRun(ours)).lyceumId)),
    };
    try {
      const rounds = await interleave(bench, "callback to artifacts", arms, 4);
      const figure = { name: "callback to artifacts", unit: "ms", against: "sum of the calls" };
      return [ratioOf(rounds, "ms", { ...figure, goal: { atMost: 1.5 } })];
    } finally {
      await Promise.all([ours.stop(), lyceum.stop()]);
    }
  },
};

async function sampled(times: number, work: () => Promise<number>): Promise<Sample> {
  const values: number[] = [];
  for (let time = 0; time < times; time++) values.push(await work());
  return { ms: values.reduce((sum, value) => sum + value, 0) / times };
}

interface Run {
  ended_at: string;
  executions: { id: string; lyceum_execution_id: string }[];
}

async function oneRun({ url }: Running): Promise<{ ms: number; lyceumId: string }> {
  const run = { kind: "image", docker_image_ref: "python:3.13", docker_run_cmd: ["true"] };
  const job = await json<{ id: string }>(`${url}/v1/jobs`, { runs: [run] });
  await json(`${url}/v1/jobs/${job.id}?wait=60s`);
  const { data } = await json<{ data: Run[] }>(`${url}/v1/jobs/${job.id}/runs`);
  const [execution] = data[0]?.executions ?? [];
  const callbacks = await json<{ data: { received_at: string }[] }>(
    `${url}/v1/executions/${execution?.id}/callbacks`,
  );
  const from = Date.parse(callbacks.data[0]?.received_at ?? "");
  return { ms: Date.parse(data[0]?.ended_at ?? "") - from, lyceumId: execution?.lyceum_execution_id ?? "" };
}

async function sumOfCalls(lyceumUrl: string, id: string): Promise<number> {
  const documents = [`/execution/${id}`, `/execution/${id}/timing`, `/execution/${id}/metrics`];
  const startedAt = performance.now();
  for (const path of [...documents, `/logs/execution/${id}?limit=10000&hours=1`]) {
    const answer = await fetch(lyceumUrl + path, { headers: { Authorization: "Bearer lk_emulator" } });
    await answer.text();
  }
  return performance.now() - startedAt;
}

async function json<T>(url: string, body?: object): Promise<T> {
  const headers = { ...authorization, "Content-Type": "application/json" };
  const answer = await fetch(
    url,
    body ? { method: "POST", headers, body: JSON.stringify(body) } : { headers },
  );
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return (await answer.json()) as T;
}
