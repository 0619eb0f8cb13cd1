// The running service against its OpenAPI document: requests are made from the document, answers are held against it.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callbackToken } from "../../src/domain/callback-token.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { apiKeys, callbackSecret, image, type Service, startService, until } from "../support/service.ts";
import type { Json } from "./client.ts";
import { complaints, document, type Published, published } from "./conformance.ts";
import { type Ids, requestsFor, type Wanted } from "./requests.ts";

let service: Service;
let receiver: Receiver;
let ids: Ids;
/** Jobs that have ended and that nothing else needs. */
let spare: string[];

/** Jobs of every kind that have ended, well or not, one that is alive and one that waits. */
beforeAll(async () => {
  receiver = await startReceiver();
  const jobSecret = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;
  service = await startService({
    // As many starts as the first two jobs need: what comes after them waits.
    settings: { WEBHOOK_SECRET: jobSecret, WEBHOOK_ALLOW_PRIVATE: "127.0.0.0/8", SUBMIT_LIMIT: "7/1h" },
    surroundings: { resolve: async () => [{ address: "127.0.0.1", family: 4 }] },
  });
  const webhook = (await service.ann.post("/v1/webhooks", { url: receiver.url, types: ["*"] })).body.id;
  const { id: done } = await service.submit({
    name: "x",
    webhook_url: receiver.url,
    metadata: { any: ["json"] },
    budget: 100,
    runs: [
      image("", { execution_type: "gpu.a100", matrix: { LR: ["0.1", "0.01"] } }),
      image("status=failed"),
      { kind: "python", code: "print(1 + 1)" },
      { kind: "compose", compose_file_code: "services: {}\n" },
      { kind: "gpu_selection", code: "print(3)" },
    ],
  });
  const runs = await service.ended(done);
  const deliveriesOf = async (path: string) => (await service.ann.get(`${path}/deliveries`)).body.data;
  const [byWebhook] = await until("a delivery", async () => {
    const data = await deliveriesOf(`/v1/webhooks/${webhook}`);
    return data.length > 0 && data;
  });
  const [byJob] = await until("the job's delivery", async () => {
    const data = await deliveriesOf(`/v1/jobs/${done}`);
    return data.length > 0 && data;
  });
  const { id: live } = await service.submit({ runs: [image("delay=50s")] });
  await service.soleRun(live, (run) => run.lyceum_execution_id !== null);
  const { id: waiting } = await service.submit({ runs: [image()] });
  spare = [];
  for (let made = 0; made < 2; made++) {
    const { id } = await service.submit({ runs: [image()] });
    await service.ann.post(`/v1/jobs/${id}/cancel`);
    spare.push(id);
  }
  const { data: events } = (await service.ann.get(`/v1/jobs/${done}/events?limit=1000`, json)).body;
  const of = async (job: string) => (await service.runsOf(job)).map((run) => run.id);
  const executions = runs.flatMap((run) => run.executions.map(({ id }) => id));
  const token = callbackToken(callbackSecret, executions[0] ?? "");
  ids = {
    job: [done, live, waiting, ...absent("job")],
    run: [...runs.map(({ id }) => id), ...(await of(live)), ...(await of(waiting)), ...absent("run")],
    execution: [...executions, ...absent("exe")],
    job_id: [done],
    run_id: runs.slice(0, 1).map(({ id }) => id),
    execution_id: executions,
    webhook: [webhook, ...absent("whk")],
    delivery: [byWebhook.id, byJob.id, ...absent("dlv")],
    "Last-Event-ID": [String(events.at(-1).seq), "1.1", "end"],
    token: [token, "x".repeat(token.length), "x"],
    file: ["start.js", "swagger-ui.css", "nothing.js", ...(await dashboardFiles())],
  };
});
afterAll(async () => {
  await service.close();
  await receiver.stop();
});

/** A script and a style of the operator's page. */
async function dashboardFiles(): Promise<string[]> {
  const { text } = await service.nobody.get("/");
  const names = [...text.matchAll(/"ui\/([^"]+)"/g)].map(([, name = ""]) => name);
  return [".js", ".css"].map((end) => names.find((name) => name.endsWith(end)) ?? "");
}

/** A key that the route lets in, and no mightier one. */
function keyFor({ name }: Published): string {
  return name === "GET /v1/settings" ? apiKeys.admin : apiKeys.ann;
}

const json = { Accept: "application/json" };
const absent = (prefix: string) => [
  `${prefix}_01j0000000000000000000000a`,
  "x",
  "%00",
  `${prefix}_${"0".repeat(500)}`,
];

// The document's example is no key of this service.
document.paths["/session"].post.requestBody.content["application/json"].examples.key.value.key = apiKeys.ann;

/** Reading operations go first, and deleting operations last. */
const order = ["GET", "POST", "DELETE"];
const operations = published.toSorted((a, b) => order.indexOf(a.method) - order.indexOf(b.method));

function idsFor({ method }: Published): Ids {
  return method === "DELETE" ? { ...ids, job: [...spare, ...absent("job")] } : ids;
}

describe.each(operations)("$name", (one) => {
  const seen = new Set<string>();
  const taken = new Set<string>();

  it("the operation answers as documented to random requests, and refuses what the document forbids", async () => {
    const wrong: string[] = [];
    for (const wanted of requestsFor(one, idsFor(one))) {
      const answer = await ask(one, wanted, keyFor(one));
      const refused = answer.status >= 400 && answer.status < 500;
      const found = complaints(one.operation, answer);
      if (wanted.isWrong && !refused) found.push(`${answer.status}, though the document forbids the request`);
      if (found.length > 0) wrong.push(`${JSON.stringify(wanted).slice(0, 400)}: ${found.join("; ")}`);
      if (answer.status < 300) {
        seen.add(`${answer.status} ${(answer.headers.get("Content-Type") ?? "").split(";")[0]}`);
        taken.add(wanted.parameter ?? "");
      }
    }
    expect(wrong.slice(0, 20)).toEqual([]);
  });

  it("the operation answers as documented to callers without a key or with a wrong one", async () => {
    const [wanted] = requestsFor(one, idsFor(one));
    if (wanted === undefined) throw new Error("no request can be made for it");
    for (const key of [null, apiKeys.reader, apiKeys.bob])
      expect(complaints(one.operation, await ask(one, wanted, key))).toEqual([]);
  });

  it("the requests above covered every documented success and every documented parameter", () => {
    const ways = Object.entries<Json>(one.operation.responses)
      .filter(([status]) => Number(status) < 300)
      .flatMap(([status, { content }]) =>
        Object.keys(content ?? { "": {} }).map((type) => `${status} ${type}`),
      );
    expect([...seen].toSorted()).toEqual(ways.toSorted());
    const known = one.operation.parameters
      .filter(
        (parameter: Json) =>
          parameter.in !== undefined && parameter.in !== "path" && parameter.name !== "cursor",
      )
      .map((parameter: Json) => parameter.name);
    if (ways.length > 0) expect([...taken]).toEqual(expect.arrayContaining(known));
  });
});

it("the comparison detects an undocumented status, type, header and field", () => {
  const { operation } = published.find(({ name }) => name === "GET /livez") as Published;
  const answer = (status: number, body: object, headers: Record<string, string> = {}) =>
    complaints(operation, {
      status,
      text: JSON.stringify(body),
      headers: new Headers({ "X-Request-Id": "r", "Content-Type": "application/json", ...headers }),
    });
  expect(answer(200, { status: "ok" })).toEqual([]);
  expect(answer(201, { status: "ok" })).toHaveLength(1);
  expect(answer(200, { status: "ok" }, { "Content-Type": "text/plain" })).toHaveLength(1);
  expect(answer(200, { status: "ok" }, { "Retry-After": "1" })).toHaveLength(1);
  expect(answer(200, { status: "ok", more: 1 })).toHaveLength(1);
  expect(answer(200, {})).toHaveLength(1);
});

async function ask({ method }: Published, { path, headers, body }: Wanted, key: string | null) {
  const response = await fetch(service.url() + path, {
    method,
    headers: { ...headers, ...(key === null ? {} : { Authorization: `Bearer ${key}` }) },
    body: body === undefined || typeof body === "string" ? (body ?? null) : JSON.stringify(body),
  });
  const isStream = response.headers.get("Content-Type")?.startsWith("text/event-stream") ?? false;
  return {
    status: response.status,
    headers: response.headers,
    text: isStream ? await firstOf(response) : await response.text(),
  };
}

/** The beginning of a stream, with events where it begins with the first of all: it may never end. */
async function firstOf(response: Response): Promise<string> {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  let text = "";
  do text += new TextDecoder().decode((await reader.read()).value);
  while (/^id: 0$/m.test(text) && !/^data: .*\n\n/m.test(text));
  await reader.cancel();
  return text.slice(0, text.lastIndexOf("\n\n"));
}
