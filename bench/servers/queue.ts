// A queue behind the service's routes: same Hono, same parsing, and 202 once the queue has the job's runs. With its
// worker (`WORKED`) callers can wait for a job.
import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { submission } from "../../src/contract/submission.ts";
import { openPeer, openWorkedPeer, type PeerName } from "../peers/registry.ts";

const name = process.env.PEER as PeerName;
const finishing = new Map<string, Promise<void>>();
const enqueue = process.env.WORKED === undefined ? await enqueuer() : await workedEnqueuer();
let last = 0;

const app = new Hono();
app.get("/livez", (c) => c.body(null, 204));
app.post("/v1/jobs", async (c) => {
  const parsed = submission.safeParse(await c.req.json());
  if (!parsed.success) return c.body(null, 422);
  const id = String(++last);
  await enqueue(id, parsed.data.runs);
  return c.json({ id, status: "queued", name: parsed.data.name, total: parsed.data.runs.length }, 202);
});
app.get("/v1/jobs/:job", async (c) => {
  const id = c.req.param("job");
  await finishing.get(id);
  finishing.delete(id);
  return c.json({ id, status: "succeeded" });
});
createServer(getRequestListener(app.fetch)).listen(Number(process.env.PORT), "127.0.0.1");
process.once("SIGTERM", () => process.exit(0));

async function enqueuer() {
  const peer = await openPeer(name, process.env);
  return (_id: string, jobs: object[]) => peer.enqueue(jobs);
}

async function workedEnqueuer() {
  const peer = await openWorkedPeer(name, process.env);
  return async (id: string, jobs: object[]) => void finishing.set(id, (await peer.enqueue(jobs)).finished);
}
