// A peer behind the same route as the service: the same Hono, the same parsing, and 202 once the queue has the job.
import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { submission } from "../../src/contract/submission.ts";
import { openPeer, type PeerName } from "../peers/peer.ts";

const peer = await openPeer(process.env.PEER as PeerName, process.env);
const app = new Hono();
app.get("/livez", (c) => c.body(null, 204));
app.post("/v1/jobs", async (c) => {
  const parsed = submission.safeParse(await c.req.json());
  if (!parsed.success) return c.body(null, 422);
  await peer.enqueue([parsed.data]);
  return c.json(parsed.data, 202);
});
createServer(getRequestListener(app.fetch)).listen(Number(process.env.PORT), "127.0.0.1");
process.once("SIGTERM", () => process.exit(0));
