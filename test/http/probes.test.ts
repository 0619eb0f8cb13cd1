// Probes of load balancers and orchestrators.
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { expect, it } from "vitest";
import { createServer } from "../../src/http/app.ts";
import type { AppContext } from "../../src/http/request-context.ts";
import { startService } from "../support/service.ts";

it("a probe in HTTP/1.0 without a Host header is answered", async () => {
  await using service = await startService();
  const { hostname, port } = new URL(service.url());
  const socket = connect(Number(port), hostname);
  socket.write("GET /livez HTTP/1.0\r\n\r\n");
  const answer = await text(socket);
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(answer).toContain('{"status":"ok"}');
});

it("a service without its database is not ready, and says so", async () => {
  const faults: unknown[] = [];
  const unreachable = new Error("connect ECONNREFUSED");
  const appContext = {
    newId: () => "req_x",
    isAccepting: () => true,
    clockAheadMs: () => 0,
    store: { isMigrated: () => Promise.reject(unreachable) },
    report: { fault: (_: string, error: unknown) => void faults.push(error), httpRequest: () => {} },
  } as unknown as AppContext;
  const answer = await createServer(appContext).request("/readyz");
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({
    type: "urn:proctor:problem:not-accepting",
    detail: expect.stringContaining("unreachable"),
  });
  expect(faults).toEqual([unreachable]);
});

it("a service whose clock is far from the database's is not ready, and says by how much", async () => {
  const desk = {
    newId: () => "req_x",
    isAccepting: () => true,
    clockAheadMs: () => -61_000,
    report: { fault: () => {}, httpRequest: () => {} },
  } as unknown as AppContext;
  const answer = await createServer(desk).request("/readyz");
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ detail: "the clock is -61 s ahead of the database's" });
});
