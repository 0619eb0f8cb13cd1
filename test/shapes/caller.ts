// Submits, cancels and reads the runs of a story through the service's own API, in memory.
import type { App } from "../../src/app.ts";
import type { Json } from "../http/client.ts";
import { nameOf, type Subject } from "./story.ts";

export type Caller = ReturnType<typeof createCaller>;

const RUNS_PER_JOB = 50;

export function createCaller(app: App, key: string) {
  const jobs: string[] = [];

  async function send(
    method: string,
    path: string,
    body?: object,
  ): Promise<{ status: number; text: string }> {
    const request = new Request(`https://proctor.test${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const response = await app.handle(request);
    return { status: response.status, text: await response.text() };
  }

  async function call(method: string, path: string, body?: object): Promise<Json> {
    const { status, text } = await send(method, path, body);
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`);
    return JSON.parse(text);
  }

  const runsOf = async (job: string): Promise<Json[]> =>
    (await call("GET", `/v1/jobs/${job}/runs?limit=1000`)).data;

  return {
    read: (path: string) => send("GET", path),
    async submit(subjects: readonly Subject[]): Promise<void> {
      const specs = subjects.map(specOf);
      for (let from = 0; from < specs.length; from += RUNS_PER_JOB) {
        const job = await call("POST", "/v1/jobs", { runs: specs.slice(from, from + RUNS_PER_JOB) });
        jobs.push(job.id);
      }
    },
    runs: async (): Promise<Json[]> => (await Promise.all(jobs.map(runsOf))).flat(),
    async cancel(nth: number): Promise<void> {
      const runs = await runsOf(jobs[Math.floor(nth / RUNS_PER_JOB)] ?? "");
      const run = runs.find(({ name }) => name === nameOf(nth));
      if (run.ended_at === null) await call("POST", `/v1/runs/${run.id}/cancel`, { mode: "abort" });
    },
  };
}

/** The image tells whose output is shown. */
function specOf({ kind, switches }: Subject, nth: number) {
  const common = { name: nameOf(nth), timeout: 600 };
  if (kind === "gpu_selection") return { ...common, kind, code: `# emulator: ${switches}` };
  return {
    ...common,
    kind,
    docker_image_ref: nameOf(nth),
    docker_run_cmd: ["true", `# emulator: ${switches}`],
  };
}
