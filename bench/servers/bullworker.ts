// A typical worker without the service: it takes a BullMQ job, starts an execution, polls until its end, fetches its
// documents and stores them in Redis as the job's result.
import { createServer } from "node:http";
import { Worker } from "bullmq";

const { PORT, REDIS_PORT, LYCEUM_URL = "", QUEUE = "" } = process.env;
const ended = ["completed", "failed", "system_failure", "cancelled", "aborted"];
const headers = { Authorization: "Bearer lk_emulator", "Content-Type": "application/json" };

const worker = new Worker<object>(QUEUE, async ({ data }) => takeToAnEnd(data), {
  connection: { port: Number(REDIS_PORT), maxRetriesPerRequest: null },
  concurrency: 50,
});
createServer((_request, response) => response.end()).listen(Number(PORT), "127.0.0.1");
process.once("SIGTERM", () => void worker.close().then(() => process.exit(0)));

async function takeToAnEnd(body: object): Promise<object> {
  const started = await call("POST", "/execution/image/start", body);
  const id = String(started.execution_id);
  while (!ended.includes(String((await call("GET", `/execution/streaming/${id}/status`)).status)))
    await new Promise((resolve) => setTimeout(resolve, 100));
  const documents = [`/execution/${id}`, `/execution/${id}/timing`, `/execution/${id}/metrics`];
  const logs = `/logs/execution/${id}?limit=10000&hours=1`;
  return Promise.all([...documents, logs].map((path) => call("GET", path)));
}

async function call(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
  const response = await fetch(LYCEUM_URL + path, {
    method,
    headers,
    ...(body && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}`);
  return (await response.json()) as Record<string, unknown>;
}
