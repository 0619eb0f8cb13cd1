// The durable minimum of a callback: `node:http`, the token, the body and our headers, and one row that is synced before
// the 204. Rows that arrive together share a commit. No router, no framework, no look-up, nothing that follows.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import SqliteDatabase from "better-sqlite3";
import { isCallbackToken } from "../../src/domain/callback-token.ts";
import { commonHeaders } from "../../src/http/headers.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { tuneHeap } from "../../src/lib/heap.ts";
import { idSource } from "../../src/lib/id.ts";

tuneHeap();
const { PORT, SECRET = "", DATABASE = "" } = process.env;
const database = new SqliteDatabase(DATABASE);
database.pragma("journal_mode = WAL");
database.pragma("synchronous = FULL");
database.pragma("wal_autocheckpoint = 3072");
database.exec(
  "create table inbox (seq integer primary key, execution_id text, received_at integer, body blob)",
);
const insert = database.prepare("insert into inbox (execution_id, received_at, body) values (?, ?, ?)");
const newId = idSource(systemClock);

interface Waiting {
  executionId: string;
  body: Buffer;
  acknowledge(): void;
}
let waiting: Waiting[] = [];

const commit = database.transaction((rows: Waiting[]) => {
  for (const { executionId, body } of rows) insert.run(executionId, Date.now(), body);
});

/** As ours: waits as long as each tick brings another row, 2 ms at most. */
function gather(before: number, until = performance.now() + 2): void {
  setImmediate(() => {
    if (waiting.length > before && performance.now() < until) gather(waiting.length, until);
    else flush();
  });
}

function flush(): void {
  const rows = waiting;
  waiting = [];
  commit.immediate(rows);
  for (const { acknowledge } of rows) acknowledge();
}

createServer(async (request: IncomingMessage, response: ServerResponse) => {
  const [, place, , executionId = "", token = ""] = (request.url ?? "").split("/");
  if (place !== "callbacks") return void response.writeHead(204).end();
  if (!isCallbackToken([SECRET], executionId, token)) return void response.writeHead(401).end();
  const body = await bodyOf(request);
  if (waiting.push({ executionId, body, acknowledge: () => answer(response) }) === 1)
    setImmediate(() => gather(waiting.length));
}).listen(Number(PORT), "127.0.0.1");
process.once("SIGTERM", () => process.exit(0));

function answer(response: ServerResponse): void {
  response.writeHead(204, { "X-Request-Id": newId("req"), ...commonHeaders }).end();
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
