// Headers that every answer has, and refusals of requests that match no route.

import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { type Answer, apiKeys, image, type Service, startService, until } from "../support/service.ts";

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

/** RFC 9457, with the members that ours always have. */
function expectProblem(answer: Answer, status: number, kind: string): void {
  expect(answer.headers.get("Content-Type")).toBe("application/problem+json");
  expect(answer.body).toMatchObject({
    type: `urn:proctor:problem:${kind}`,
    title: expect.stringMatching(/^[A-Z]/),
    status,
    detail: expect.stringMatching(/./),
    instance: `urn:proctor:request:${answer.headers.get("X-Request-Id")}`,
  });
  expect(answer.status).toBe(status);
  const { errors } = answer.body;
  expect(errors !== undefined).toBe(status === 422);
  for (const error of errors ?? [])
    expect(error).toEqual({ pointer: expect.any(String), detail: expect.stringMatching(/./) });
}

const jobs = "/v1/jobs";

describe("a body", () => {
  it("a body that is not JSON is refused without being quoted", async () => {
    const secret = "hunter2-hunter2";
    for (const body of [
      `{"docker_password": "${secret}`,
      `${secret}`,
      `{"a": ${secret}}`,
      `[1,2`,
      "\u0000",
    ]) {
      const answer = await service.ann.post(jobs, body);
      expectProblem(answer, 400, "invalid-json");
      expect(answer.text).not.toContain("hunter2");
    }
  });

  it("an empty body is refused where one is required", async () => {
    for (const body of ["", "  \n"]) {
      const answer = await service.ann.post(jobs, body);
      expectProblem(answer, 400, "invalid-json");
    }
    expect((await service.ann.post(jobs)).body.detail).toContain("empty");
  });

  it("a body that is not UTF-8 is refused, not repaired", async () => {
    const bytes = Buffer.concat([
      Buffer.from('{"runs":[{"kind":"python","code":"'),
      Buffer.from([0xe9]),
      Buffer.from('"}]}'),
    ]);
    expectProblem(await service.ann.post(jobs, bytes), 400, "invalid-json");
  });

  it("a JSON body that is no object is refused as a whole", async () => {
    for (const body of ["null", "[]", '"text"', "1", "true"]) {
      const answer = await service.ann.post(jobs, body);
      expectProblem(answer, 422, "validation-failed");
      expect(answer.body.errors).toMatchObject([{ pointer: "" }]);
    }
  });

  it("a body of more than 8 MiB is refused, and one of exactly 8 MiB is read", async () => {
    const most = 8 * 1024 * 1024;
    expectProblem(await service.ann.post(jobs, Buffer.alloc(most + 1, " ")), 413, "body-too-large");
    expectProblem(await service.ann.post(jobs, Buffer.alloc(most, " ")), 400, "invalid-json");
  });

  it("the body of a cancellation has a smaller limit", async () => {
    const answer = await service.ann.post(`${jobs}/job_x/cancel`, `{"mode":"${"a".repeat(70_000)}"}`);
    expectProblem(answer, 413, "body-too-large");
  });

  it("the body of a retry is empty or {}, and anything else is refused before a run is made", async () => {
    const run = await service.run(image("exit=1"));
    const retry = (body?: unknown) => service.ann.post(`/v1/runs/${run.id}/retry`, body);
    const named = await retry({ timeout: 5 });
    expectProblem(named, 422, "validation-failed");
    expect(named.body.errors).toMatchObject([{ pointer: "/timeout" }]);
    expectProblem(await retry([]), 422, "validation-failed");
    expectProblem(await retry("nonsense"), 400, "invalid-json");
    expect(await service.runsOf(run.job_id)).toHaveLength(1);
    for (const body of [undefined, "", "{}"]) expect((await retry(body)).status).toBe(202);
  });

  it("a sender that disconnects in its body is no fault of the service", async () => {
    const socket = connect(Number(new URL(service.url()).port), "127.0.0.1");
    const head = `POST ${jobs} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${apiKeys.ann}\r\nContent-Length: 1000\r\n`;
    const answered = () =>
      service.logLines.filter((line) => line.includes('"route":"/v1/jobs","method":"POST"')).length;
    const before = answered();
    socket.write(`${head}Expect: 100-continue\r\n\r\n{"runs":`);
    await new Promise((resolve) => socket.once("data", resolve));
    socket.resetAndDestroy();
    await until("the request's line in the log", () => answered() > before);
    expect(service.logLines.filter((line) => /"event":"fault"|"route":"unreadable"/.test(line))).toEqual([]);
  });
});

describe("a malformed request", () => {
  /** Sends a text and returns the answer, read until the connection is closed. */
  const sent = async (text: string): Promise<Answer> => {
    const socket = connect(Number(new URL(service.url()).port), "127.0.0.1");
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.write(text);
    await once(socket, "close");
    const [head = "", body = ""] = Buffer.concat(chunks).toString().split("\r\n\r\n");
    const [first = "", ...lines] = head.split("\r\n");
    const headers = new Headers(lines.map((line) => line.split(/: (.*)/).slice(0, 2) as [string, string]));
    return { status: Number(first.split(" ")[1]), headers, text: body, body: JSON.parse(body) };
  };

  it.each([
    ["no HTTP", "hello\r\n\r\n", 400, "bad-request"],
    [
      "two ways to say its length",
      post("Content-Length: 3\r\nTransfer-Encoding: chunked"),
      400,
      "bad-request",
    ],
    ["without a Host", "GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n", 400, "bad-request"],
    ["with a Host that is none", "GET /livez HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "bad-request"],
    ["with too many headers", post(`X-Long: ${"x".repeat(20_000)}`), 431, "headers-too-large"],
  ])("a malformed request (%s) is refused with a problem document", async (_, text, status, kind) => {
    const answer = await sent(text);
    expectProblem(answer, status, kind);
    const id = answer.headers.get("X-Request-Id") ?? "";
    const line = service.logLines.find((one) => one.includes(id)) ?? "{}";
    expect(JSON.parse(line)).toMatchObject({ event: "http_request", route: "unreadable", status });
  });

  it("a malformed request does not mix with an answer that has begun", async () => {
    const socket = connect(Number(new URL(service.url()).port), "127.0.0.1");
    let answer = "";
    socket.on("data", (chunk: Buffer) => {
      answer += chunk;
    });
    socket.write(`GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${apiKeys.ann}\r\n\r\n`);
    await until("the stream's beginning", () => answer.includes("\r\n\r\n"));
    socket.write("hello\r\n\r\n");
    await once(socket, "close");
    expect(answer.match(/HTTP\/1.1/g)).toHaveLength(1);
  });

  it("an unknown expectation is answered like any other request", async () => {
    const answer = await sent(post("Connection: close\r\nExpect: a miracle\r\nContent-Length: 0"));
    expectProblem(answer, 401, "unauthorized");
  });
});

function post(headers: string): string {
  return `POST ${jobs} HTTP/1.1\r\nHost: x\r\n${headers}\r\n\r\n`;
}

describe("a path", () => {
  it("an unknown path answers 404, whatever the key", async () => {
    for (const path of ["/v2/jobs", "/v1", "/v1/jobs/a/b/c", "/__emulator", "/v1/run"])
      for (const client of [service.ann, service.nobody])
        expectProblem(await client.get(path), 404, "not-found");
  });

  it("a known path with another method answers 405 and names the allowed methods", async () => {
    const attempts = [
      ["PUT", jobs, "POST, GET"],
      ["PATCH", `${jobs}/job_x`, "GET, DELETE"],
      ["GET", "/v1/runs/run_x/cancel", "POST"],
      ["DELETE", "/v1/status", "GET"],
      ["GET", "/callbacks/lyceum/exe_x/y", "POST"],
    ] as const;
    for (const [method, path, allow] of attempts) {
      const answer = await service.ann.call(method, path);
      expectProblem(answer, 405, "method-not-allowed");
      const allowed = answer.headers
        .get("Allow")
        ?.split(", ")
        .filter((name) => name !== "HEAD");
      expect(allowed).toEqual(allow.split(", "));
    }
  });

  it("a malformed id answers 404 like a missing one", async () => {
    const ids = [
      "job_01j0000000000000000000000a",
      "x",
      "%00",
      "job_%00",
      "..%2f..",
      "%ff",
      "a".repeat(3000),
      "%F0%9F%98%80",
    ];
    const answers = await Promise.all(
      ids.flatMap((id) =>
        [`${jobs}/${id}`, `/v1/runs/${id}`, `/v1/executions/${id}`].map((path) => service.ann.get(path)),
      ),
    );
    for (const answer of answers) expectProblem(answer, 404, "not-found");
  });

  it("HEAD answers like GET, without a body", async () => {
    const get = await service.ann.get(jobs);
    const head = await service.ann.call("HEAD", jobs);
    expect([head.status, head.text]).toEqual([200, ""]);
    expect(head.headers.get("Content-Type")).toBe(get.headers.get("Content-Type"));
    expect((await service.nobody.call("HEAD", jobs)).status).toBe(401);
    expect((await service.ann.call("HEAD", "/v1/runs/x/cancel")).status).toBe(405);
  });

  it("OPTIONS names the allowed methods and admits no foreign page", async () => {
    const answer = await service.nobody.call("OPTIONS", jobs, undefined, {
      Origin: "https://elsewhere.example",
    });
    expect(answer.headers.get("Allow")).toContain("POST");
    expect(answer.headers.get("Access-Control-Allow-Origin")).toBeNull();
    expect(answer.status).toBe(405);
  });
});

describe("every answer", () => {
  it("every answer carries a request id: the caller's own if it is plain, else a new one", async () => {
    const paths = [jobs, "/livez", "/nowhere", "/v1/jobs/x", "/metrics", "/callbacks/lyceum/a/b"];
    for (const path of paths) {
      const own = await service.nobody.get(path, { "X-Request-Id": "My-trace.1_2" });
      expect(own.headers.get("X-Request-Id")).toBe("My-trace.1_2");
      for (const bad of ["a b", "x".repeat(129), 'in"jected', ""]) {
        const answer = await service.nobody.get(path, { "X-Request-Id": bad });
        expect(answer.headers.get("X-Request-Id")).toMatch(/^req_[0-9a-z]{26}$/);
      }
    }
  });

  it("every answer forbids storing and sniffing", async () => {
    for (const path of [jobs, "/livez", "/nowhere"]) {
      const { headers } = await service.ann.get(path);
      expect([headers.get("Cache-Control"), headers.get("X-Content-Type-Options")]).toEqual([
        "no-store",
        "nosniff",
      ]);
    }
  });

  it("every request is logged by its route's template, never by its path or query", async () => {
    await service.ann.get(`${jobs}/job_needle?haystack=needle`);
    await service.nobody.get("/needle/needle");
    const lines = service.logLines.filter((line) => line.includes('"event":"http_request"'));
    expect(lines.some((line) => line.includes('"route":"/v1/jobs/:job"'))).toBe(true);
    expect(lines.some((line) => line.includes("needle"))).toBe(false);
  });
});

it("the operators' pages answer without a key", async () => {
  expect((await service.nobody.get("/livez")).body).toEqual({ status: "ok" });
  expect((await service.nobody.get("/readyz")).body).toEqual({
    status: "ready",
    version: packageJson.version,
  });
  await service.run(image());
  const { text, headers } = await service.nobody.get("/metrics");
  expect(headers.get("Content-Type")).toContain("text/plain");
  expect(text).toContain('proctor_runs_ended_total{status="succeeded"} 1');
  expect(text).toContain('route="/v1/jobs/:job"');
});
