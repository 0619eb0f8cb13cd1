// `npm run dev`: the main job on real input, on this machine alone. Starts the emulator and the service, submits a
// job whose Python code really runs, shows its progress until it is done, says what to try next, keeps serving.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApp } from "../app.ts";
import { createClient, type JobRequest, type Run } from "../client/client.ts";
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
    { kind: "python", name: "fails", code: "import sys\nprint('about to fail')\nsys.exit(3)\n" },
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

export async function dev({ port }: { port: number }): Promise<void> {
  const apiKey = `dev-${randomBytes(24).toString("hex")}`;
  const folder = mkdtempSync(join(tmpdir(), "proctor-dev-"));
  const emulator = await startEmulator({
    chaos: { pending: "400ms", starting: "400ms", delay: "1500ms", finishing: "100ms" },
    log: (line) => console.error(line),
  });
  const freePort = await firstFree(port);
  const url = `http://127.0.0.1:${freePort}`;
  const reading = readConfig({
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
  });
  if (!reading.ok)
    throw new Error(`the settings of npm run dev are wrong: ${JSON.stringify(reading.problems)}`);
  const app = createApp(reading.config, { logSpacingMs: 1_000 });
  await app.start();
  console.log(
    `\nProctor   ${url}\nEmulator  ${emulator.url}   (switches: ${emulator.controlUrl})\nDatabase  ${folder}\n`,
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
          rmSync(folder, { recursive: true, force: true });
          process.exit(0);
        });
    });
  }

  const client = createClient({ url, apiKey });
  const job = await client.submit(firstJob);
  console.log(`Submitted ${job.id}: "${firstJob.name}", ${firstJob.runs.length} runs\n`);
  await follow(client, job.id, { screen: process.stdout, updateEveryMs: 200 });
  console.log(nextSteps(url, apiKey, job.id, await Array.fromAsync(client.runs(job.id))));
}

function nextSteps(url: string, apiKey: string, jobId: string, runs: Run[]): string {
  const first = runs[0]?.id ?? "";
  const auth = `-H "Authorization: Bearer ${apiKey}"`;
  const body = `'{"runs":[{"kind":"python","code":"print(6*7)"}]}'`;
  return `
Try next, as printed, in another terminal:

  What the first run printed
    curl -s ${auth} ${url}/v1/runs/${first}/output

  Its log as text; its timing
    curl -s ${auth} -H "Accept: text/plain" ${url}/v1/runs/${first}/logs
    curl -s ${auth} ${url}/v1/runs/${first}/timing

  The job, and its runs with their executions
    curl -s ${auth} ${url}/v1/jobs/${jobId}
    curl -s ${auth} ${url}/v1/jobs/${jobId}/runs

  A job of your own
    curl -s ${auth} -d ${body} ${url}/v1/jobs

  How the service is doing
    curl -s ${auth} ${url}/v1/status

  The same with less typing
    export PROCTOR_URL=${url} PROCTOR_API_KEY=${apiKey}
    npx proctor status
    npx proctor submit --wait your.py

Serving until Ctrl-C.`;
}

/** The wanted port, or the next free one above it. */
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
