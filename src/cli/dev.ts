// `npm run dev`: starts the emulator and the service, submits two jobs, follows them, and keeps serving.
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createApp } from "../app.ts";
import { createClient, type JobRequest } from "../client/client.ts";
import { readConfig } from "../config.ts";
import { startEmulator } from "../emulator/server.ts";
import { follow } from "./view.ts";

const firstJob: JobRequest = {
  name: "first steps",
  runs: [
    { kind: "python", name: "primes", code: primes(), env: { UP_TO: "20000" }, timeout: 60 },
    {
      kind: "python",
      name: "with-files",
      code: "import helpers.io\nprint('X is', helpers.io.X)\n",
      files: { "helpers/io.py": "X = 42\n" },
    },
    {
      kind: "image",
      name: "image",
      docker_image_ref: "python:3.13",
      docker_run_cmd: ["python", "-c", "print(2)"],
      execution_type: "gpu.a100",
    },
  ],
  metadata: { from: "npm run dev" },
};

const failingJob: JobRequest = {
  name: "a failure",
  runs: [{ kind: "python", name: "fails", code: "import sys\nprint('about to fail')\nsys.exit(3)\n" }],
  metadata: { from: "npm run dev" },
};

const PYTHON = "python3";
const LINK_LASTS_MS = 60 * 60_000;

export interface DevOptions {
  port: number;
  /** Folder that keeps the database; default: a temporary folder that is removed at the end. */
  data?: string;
}

export async function dev({ port, data }: DevOptions): Promise<void> {
  const apiKey = `dev-${randomBytes(24).toString("hex")}`;
  const folder = data === undefined ? mkdtempSync(join(tmpdir(), "proctor-dev-")) : resolve(data);
  if (data !== undefined) mkdirSync(folder, { recursive: true });
  const emulator = await startEmulator({
    chaos: { pending: "400ms", starting: "400ms", delay: "1500ms", finishing: "100ms" },
    log: (line) => console.error(line),
    python: PYTHON,
  });
  const freePort = await firstFree(port);
  const url = `http://127.0.0.1:${freePort}`;
  const result = readConfig({
    LYCEUM_BASE_URL: emulator.url,
    LYCEUM_API_KEY: "lk_emulator",
    API_KEYS: `dev:${apiKey}:admin`,
    CALLBACK_SECRETS: randomBytes(32).toString("hex"),
    PUBLIC_URL: url,
    DATABASE_URL: `sqlite:${join(folder, "proctor.db")}`,
    HOST: "127.0.0.1",
    PORT: String(freePort),
    LOG_LEVEL: process.env.LOG_LEVEL ?? "warn",
    POLL_INTERVAL_MIN: "1s",
    DRAIN_DELAY: "0s",
  });
  if (!result.ok)
    throw new Error(`the settings of npm run dev are wrong: ${JSON.stringify(result.problems)}`);
  const oneTimeKey = randomBytes(24).toString("hex");
  const oneTimeKeys = [{ key: oneTimeKey, name: "dev", expiresAt: Date.now() + LINK_LASTS_MS }];
  const app = createApp(result.config, { logSpacingMs: 1_000, oneTimeKeys });
  await app.start();
  console.log(`
Open      ${url}/#/sign-in/${oneTimeKey}   (signs you in, once)

Proctor   ${url}
Emulator  ${emulator.url}   (switches: ${emulator.controlUrl})
Database  ${folder}${data === undefined ? "   (removed at the end; --data DIR keeps it)" : ""}

    export PROCTOR_URL=${url} PROCTOR_API_KEY=${apiKey}
    export AUTH="Authorization: Bearer $PROCTOR_API_KEY"
`);
  if (freePort !== port)
    console.log(`Port ${port} is taken by another program, so Proctor listens on ${freePort}.\n`);
  if (!isInstalled(PYTHON))
    console.log(
      `${PYTHON} is not on the PATH: Python runs are simulated and print no output of their own.\n`,
    );

  let stopping = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(1);
      stopping = true;
      console.log("\nStopping…");
      void app
        .stop()
        .then(() => emulator.close())
        .finally(() => {
          if (data === undefined) rmSync(folder, { recursive: true, force: true });
          process.exit(0);
        });
    });
  }

  const client = createClient({ url, apiKey });
  async function show(request: JobRequest): Promise<Shown> {
    const job = await client.submit(request);
    const count = request.runs.length;
    console.log(`Submitted ${job.id}: "${request.name}", ${count} ${count === 1 ? "run" : "runs"}\n`);
    const { status } = await follow(client, job.id, { screen: process.stdout, updateEveryMs: 200 });
    const [run] = await Array.fromAsync(client.runs(job.id));
    return { jobId: job.id, runId: run?.id ?? "", status };
  }
  const first = await show(firstJob);
  const asExpected = first.status === "succeeded" ? "All runs succeeded. " : "";
  console.log(`\n${asExpected}A failing run looks like this:\n`);
  const failed = await show(failingJob);
  console.log(nextSteps(first, failed.runId));
}

function isInstalled(command: string): boolean {
  return spawnSync(command, ["--version"], { timeout: 5_000 }).error === undefined;
}

interface Shown {
  jobId: string;
  runId: string;
  status: string;
}

function nextSteps({ jobId, runId }: Shown, failedRunId: string): string {
  const curl = 'curl -sH "$AUTH"';
  const body = `'{"runs":[{"kind":"python","code":"print(6*7)"}]}'`;
  return `
Next steps, in another terminal, after the two export lines above:

  Output of a run, its log as text, and the run that failed
    ${curl} $PROCTOR_URL/v1/runs/${runId}/output
    ${curl} -H "Accept: text/plain" $PROCTOR_URL/v1/runs/${runId}/logs
    ${curl} $PROCTOR_URL/v1/runs/${failedRunId}

  The job and its runs
    ${curl} $PROCTOR_URL/v1/jobs/${jobId}
    ${curl} $PROCTOR_URL/v1/jobs/${jobId}/runs

  A job of your own
    ${curl} -d ${body} $PROCTOR_URL/v1/jobs

  The same from the command line
    npx proctor status
    npx proctor submit --wait your.py

Serving until Ctrl-C.`;
}

/** The next free port from this one on. */
async function firstFree(wanted: number): Promise<number> {
  for (let port = wanted; port < wanted + 50; port++) if (await isFree(port)) return port;
  throw new Error(`no free port from ${wanted} to ${wanted + 49}; choose another with --port`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}

function primes(): string {
  return `import os
up_to = int(os.environ["UP_TO"])
sieve = [True] * (up_to + 1)
for n in range(2, int(up_to ** 0.5) + 1):
    if sieve[n]:
        sieve[n * n :: n] = [False] * len(sieve[n * n :: n])
print(sum(sieve[2:]), "primes up to", up_to)
`;
}
