// The server that ours is compared with: the same Hono on the same listener, with the same token check and the same
// parsing, but without a database, a log, metrics or API keys.
import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { submission } from "../../src/contract/submission.ts";
import { isCallbackToken } from "../../src/domain/callback-token.ts";
import { tuneHeap } from "../../src/lib/heap.ts";

tuneHeap();
const { PORT, SECRET = "", ANSWER = "{}" } = process.env;
const constant: unknown = JSON.parse(ANSWER);
const app = new Hono();

app.get("/livez", (c) => c.body(null, 204));
app.post("/callbacks/lyceum/:execution/:token", async (c) => {
  if (!isCallbackToken([SECRET], c.req.param("execution"), c.req.param("token"))) return c.body(null, 401);
  return c.body(null, 204);
});
app.post("/v1/jobs", async (c) => {
  const parsed = submission.safeParse(await c.req.json());
  return parsed.success ? c.json(parsed.data, 202) : c.body(null, 422);
});
app.get("/v1/jobs/:job", (c) => c.json(constant as object));

createServer(getRequestListener(app.fetch)).listen(Number(PORT), "127.0.0.1");
process.once("SIGTERM", () => process.exit(0));
