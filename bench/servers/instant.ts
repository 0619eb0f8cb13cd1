// The service with a Lyceum in its own process, without a network between them. Runs end at their start, and Lyceum
// calls back at once.
import { createApp } from "../../src/app.ts";
import { tuneHeap } from "../../src/lib/heap.ts";
import { configOrExit } from "../../src/main.ts";

tuneHeap();
const app = createApp(configOrExit().config, { fetch: lyceum });
let started = 0;
await app.start();
process.once("SIGTERM", () => void app.stop().then(() => process.exit(0)));

async function lyceum(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const { pathname } = new URL(String(input));
  if (pathname.endsWith("/start")) return Response.json(start(JSON.parse(String(init?.body))));
  const [, group, id = "", part = "record"] =
    /\/(\w+)\/(?:execution\/)?(lyceum-[\d-]+)(?:\/(\w+))?$/.exec(pathname) ?? [];
  if (id === "") return Response.json([]);
  return Response.json(documents[(group === "logs" ? group : part) as keyof typeof documents](id));
}

function start(body: { user_callback_urls?: string[] }): object {
  // Unique over several instances.
  const id = `lyceum-${process.pid}-${++started}`;
  const [url] = body.user_callback_urls ?? [];
  if (url === undefined) throw new Error("no callback was asked for");
  setImmediate(() => void callBack(url, id));
  return { execution_id: id, status: "pending" };
}

async function callBack(url: string, id: string): Promise<void> {
  const body = JSON.stringify({ execution_id: id, status: "completed" });
  const headers = { "Content-Type": "application/json" };
  const { status } = await app.handle(new Request(url, { method: "POST", headers, body }));
  if (status !== 204) throw new Error(`a callback was answered ${status}`);
}

const documents = {
  record(id: string) {
    const now = new Date().toISOString();
    const times = { created_at: now, start_time: now, end_time: now, finish_time: now };
    const output = { stdout: "2\n", stderr: "", return_code: 0, billed: 0.001 };
    return { execution_id: id, status: "completed", hardware_profile: "cpu", ...times, ...output };
  },
  timing: (id: string) => ({ execution_id: id, timing: { queued: 0, executingJob: 0.01, total: 0.01 } }),
  // With one sample, because metrics without samples are read again.
  metrics(id: string) {
    const timestamp = new Date().toISOString();
    return { executionId: id, hostname: "node-1", systemCpuUsagePercent: [{ timestamp, value: 12.5 }] };
  },
  // All lines of the record, so that the log is not read again.
  logs: (id: string) => {
    const entry = { timestamp: new Date().toISOString(), message: "2", execution_id: id };
    return { logs: [{ ...entry, level: null, labels: { stream: "stdout" } }], total: 1 };
  },
};
