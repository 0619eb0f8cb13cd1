// Stories of a PostgreSQL that restarts, crashes, is demoted or cannot be reached under a running service.
// Callers hear of no internal error and are told to come back. Work goes on as soon as the database is back.
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type PostgresServer, startPostgresServer } from "../support/postgres-server.ts";
import { image, type Service, startService, until } from "../support/service.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgresServer(["fsync=off"]);
});
afterAll(() => server.stop("immediate"));

async function start(name: string, settings: Record<string, string> = {}): Promise<Service> {
  await administer(`create database ${name}`);
  return startService({ settings: { DATABASE_URL: `${server.url}/${name}`, ...settings } });
}

async function ask(database: string, query: string) {
  const client = new pg.Client({ connectionString: `${server.url}/${database}` });
  await client.connect();
  const { rows } = await client.query(query).finally(() => client.end());
  return rows[0];
}

const administer = (command: string) => ask("postgres", command);

test.each(["fast", "immediate"] as const)(
  "while PostgreSQL is away (%s) every route says so, and all that was under way ends soon after it is back",
  async (mode) => {
    const service = await start(`away_${mode}`);
    const { id } = await service.submit({
      runs: [image("delay=2s"), image("delay=2500"), image("delay=3s callback=lost")],
    });
    const [run] = await until("live runs", async () => {
      const runs = await service.runsOf(id);
      return runs.every((one) => one.lyceum_execution_id !== null) && runs;
    });
    await server.restart(mode, async () => {
      const answers = await Promise.all([
        service.ann.post("/v1/jobs", { runs: [image()] }),
        service.ann.get("/v1/jobs"),
        service.ann.get(`/v1/jobs/${id}`),
        service.ann.get(`/v1/jobs/${id}?wait=5s`),
        service.ann.get(`/v1/runs/${run?.id}`),
        service.ann.get(`/v1/runs/${run?.id}/logs`),
        service.ann.get("/v1/events"),
        service.ann.get("/v1/usage"),
        service.ann.get("/v1/status"),
        service.ann.post(`/v1/jobs/${id}/cancel`, { mode: "stop" }),
        service.admin.get("/v1/webhooks"),
        service.nobody.get("/readyz"),
      ]);
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 503));
      for (const { headers, body } of answers.slice(0, -1)) {
        expect(headers.get("Retry-After")).toBe("2");
        expect(body.type).toBe("urn:proctor:problem:database-unavailable");
      }
      expect((await service.nobody.get("/livez")).status).toBe(200);
      await until("a callback that is refused for now", () =>
        service.emulator.executions().some(({ callbacks }) => callbacks.some(({ status }) => status === 503)),
      );
    });
    const runs = await service.ended(id);
    expect(runs.map(({ status, attempts }) => [status, attempts])).toEqual(runs.map(() => ["succeeded", 1]));
    expect((await service.nobody.get("/readyz")).status).toBe(200);
    const told = service.logLines.filter((line) =>
      /"event":"(fault|database_unavailable|database_back)"/.test(line),
    );
    expect(told.map((line) => JSON.parse(line).event)).toEqual(["database_unavailable", "database_back"]);
    await service.close();
  },
);

test("connections to a demoted server are closed, and the work is repeated on new ones", async () => {
  const service = await start("demoted");
  await administer("alter database demoted set default_transaction_read_only = on");
  await administer("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'demoted'");
  expect((await service.ann.post("/v1/jobs", { runs: [image()] })).status).toBe(503);
  // Connections that are open by now would stay read-only for ever.
  await administer("alter database demoted reset default_transaction_read_only");
  const { id } = await service.submit({ runs: [image()] });
  expect(await service.ended(id)).toMatchObject([{ status: "succeeded" }]);
  await service.close();
});

test("a lock held by another client delays requests for seconds, not forever", async () => {
  await administer("create database frozen");
  const service = await startService({ settings: { DATABASE_URL: `${server.url}/frozen` } });
  const other = new pg.Client({ connectionString: `${server.url}/frozen` });
  await other.connect();
  await other.query("begin");
  await other.query("lock table jobs in access exclusive mode");
  const blocked = await service.ann.post("/v1/jobs", { runs: [image()] });
  expect(blocked).toMatchObject({ status: 503, body: { type: "urn:proctor:problem:database-unavailable" } });
  await other.query("rollback");
  await other.end();
  await service.submit({ runs: [image()] });
  await service.close();
});

test("a process that dies leaves no lock for which the next one waits long", async () => {
  const service = await start("vanished", { SUBMIT_CONCURRENCY: "2", IN_DOUBT_AFTER: "4s" });
  const { id } = await service.submit({
    runs: [
      image("answer=stall stall=100s delay=1s callback=lost", { timeout: 3 }),
      image("log_lag=2s"),
      image("delay=2s callback=lost", { timeout: 3 }),
      image(),
    ],
  });
  // A crash before a start has left would look like one that was never sent.
  await until("all starts, one of them unanswered, and an end", () => {
    const executions = service.emulator.executions();
    return executions.length === 4 && executions.some((one) => one.isTerminal);
  });
  await service.crash();
  await until("the claims of the dead instance are taken over", async () => {
    const latest = await ask("vanished", "select max(due_at) as at from executions where phase <> 'closed'");
    return Number(latest.at) - Date.now() < 31_000;
  });
  const runs = await service.ended(id);
  expect(runs.map((run) => [run.status, run.attempts])).toEqual(runs.map(() => ["succeeded", 1]));
  await service.close();
});

test("NUL characters, which PostgreSQL accepts in no text, are refused by field name or stored", async () => {
  const service = await start("zeros");
  const zero = "a\u0000b";
  const refused = await service.ann.post("/v1/jobs", { name: zero, runs: [image("", { name: zero })] });
  expect(refused).toMatchObject({ status: 422 });
  const metadata = { [zero]: [zero, { deep: zero }] };
  const bodies = [
    { metadata, runs: [image()] },
    { runs: [{ kind: "python", code: `print(1) # ${zero}` }] },
    { runs: [{ kind: "python", code: "print(1)", env: { A: zero } }] },
    { runs: [{ kind: "python", code: "print(1)", files: { "a.py": zero } }] },
    { runs: [{ kind: "python", code: "print(1)", files: { [zero]: "1" } }] },
    { runs: [{ kind: "python", code: "print(1)", requirements_content: zero }] },
    { runs: [{ kind: "compose", compose_file_code: zero }] },
    { runs: [image("", { docker_run_cmd: [zero] })] },
    { runs: [image("", { docker_image_ref: zero })] },
    { runs: [image("", { execution_type: zero })] },
    { runs: [image("", { extra: { [zero]: zero } })] },
    { runs: [image("", { matrix: { A: [zero, "b"] } })] },
    { runs: [image()], webhook_url: `https://example.com/${zero}` },
    { runs: [image()], on_lost: zero },
  ];
  const answers = await Promise.all(bodies.map((body) => service.ann.post("/v1/jobs", body)));
  for (const { status } of answers) expect([202, 422]).toContain(status);
  const [kept] = answers;
  expect(kept).toMatchObject({ status: 202, body: { metadata } });
  const paths = [
    `/v1/jobs?name=%00`,
    `/v1/jobs?cursor=%00`,
    `/v1/jobs/%00`,
    `/v1/runs/a%00b`,
    "/v1/events?types=%00",
    "/v1/usage?key=%00",
  ];
  for (const path of paths) expect((await service.admin.get(path)).status).toBeLessThan(500);
  expect((await service.ann.get(`/v1/jobs/${kept?.body.id}`)).body.metadata).toEqual(metadata);
  await service.close();
});

test("a connection sets no start parameter that a pooler in transaction mode refuses", async () => {
  const { shown, url, close } = await startupOf(server.url);
  const service = await startService({ settings: { DATABASE_URL: `${url}/postgres` } });
  await service.run(image());
  await service.close();
  close();
  // PgBouncer takes these parameters from any client.
  const taken = ["user", "database", "client_encoding", "application_name", "datestyle", "timezone"];
  expect(shown.size).toBeGreaterThan(0);
  for (const name of shown) expect(taken).toContain(name.toLowerCase());
});

/** A way to the server that takes down the parameters with which connections start. */
async function startupOf(target: string) {
  const { hostname, port } = new URL(target);
  const shown = new Set<string>();
  const sockets = new Set<Socket>();
  const way = createServer((near) => {
    near.once("data", (packet: Buffer) => {
      // Length, version, then names and values, each with a zero behind it (PostgreSQL: message formats).
      const texts = packet.subarray(8).toString("latin1").split("\0");
      for (let index = 0; index + 1 < texts.length && texts[index] !== ""; index += 2)
        shown.add(texts[index] as string);
    });
    const far = connect(Number(port), hostname);
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) sockets.add(socket.on("error", () => {}));
  });
  await new Promise<void>((resolve) => way.listen(0, "127.0.0.1", resolve));
  return {
    shown,
    url: `postgres://postgres@127.0.0.1:${(way.address() as AddressInfo).port}`,
    close() {
      way.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
