// One trace from the submission to the webhook, as a small OTLP collector receives it.
import { createServer } from "node:http";
import { expect, test } from "vitest";
import { startReceiver, status } from "../support/receiver.ts";
import { apiKeys, freePort, image, startService, until } from "../support/service.ts";

interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: { key: string; value: { stringValue?: string } }[];
}

/** Takes OTLP over HTTP with JSON bodies. */
async function startCollector() {
  const spans: Span[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => void chunks.push(chunk));
    request.on("end", () => {
      if (request.url === "/v1/traces") {
        const { resourceSpans } = JSON.parse(Buffer.concat(chunks).toString());
        for (const { scopeSpans } of resourceSpans)
          for (const scope of scopeSpans) spans.push(...scope.spans);
      }
      response.setHeader("Content-Type", "application/json").end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER_SPAN = "00f067aa0ba902b7";

async function submitTraced(url: string, key: string, body: object, traceparent: string) {
  const answer = await fetch(`${url}/v1/jobs`, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json", traceparent },
    body: JSON.stringify(body),
  });
  expect(answer.status).toBe(202);
  return (await answer.json()) as { id: string };
}

const { ann } = apiKeys;

test("a job is one trace from its caller over queue, calls, callback and collection to the webhook", async () => {
  await using collector = await startCollector();
  const receiver = await startReceiver(status(204));
  await using service = await startService({
    settings: {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_TRACE_URL: "https://traces.example.com/{trace_id}",
      WEBHOOK_ALLOW_PRIVATE: "127.0.0.0/8",
    },
  });
  await service.ann.post("/v1/webhooks", { url: receiver.url, types: ["job.succeeded"] });
  const { id } = await submitTraced(
    service.url(),
    ann,
    { runs: [image()] },
    `00-${TRACE_ID}-${CALLER_SPAN}-01`,
  );
  const [run] = await service.ended(id);
  await until("the webhook", () => receiver.received.length > 0);
  for (const path of [`/v1/jobs/${id}`, `/v1/runs/${run?.id}`])
    expect((await service.ann.get(path)).body.trace_url).toBe(`https://traces.example.com/${TRACE_ID}`);
  const named = (name: string) => collector.spans.filter((span) => span.name === name);
  await until("the spans", () => named("webhook delivery").length > 0 && named("run").length > 0);

  const { spans } = collector;
  expect(spans.every(({ traceId }) => traceId === TRACE_ID)).toBe(true);
  const [job] = named("job submitted");
  expect(job?.parentSpanId).toBe(CALLER_SPAN);
  const [runSpan] = named("run");
  expect(runSpan?.parentSpanId).toBe(job?.spanId);
  const [execution] = named("execution");
  expect(execution?.parentSpanId).toBe(runSpan?.spanId);
  expect(named("queued")[0]?.parentSpanId).toBe(runSpan?.spanId);
  const inExecution = spans.filter(({ parentSpanId }) => parentSpanId === execution?.spanId);
  const names = inExecution.map(({ name }) => name);
  for (const name of ["submitting", "pending", "running", "noticing", "collecting", "callback", "check"])
    expect(names).toContain(name);
  expect(names.filter((name) => /^POST .*start$/.test(name))).toHaveLength(1);
  expect(names).toContain("GET /execution/{id}");
  expect(names).toContain("GET /logs/execution/{id}");
  expect(named("webhook delivery")[0]?.parentSpanId).toBe(job?.spanId);
  // Every parent is a span of the trace, or the caller's.
  const known = new Set([CALLER_SPAN, ...spans.map(({ spanId }) => spanId)]);
  expect(spans.filter(({ parentSpanId = "" }) => !known.has(parentSpanId))).toEqual([]);
  const ids = execution?.attributes.map(({ value }) => value.stringValue);
  expect(ids).toEqual(expect.arrayContaining([id, run?.id, run?.executions[0]?.id]));
  expect(receiver.received[0]?.headers.traceparent).toBe(`00-${TRACE_ID}-${job?.spanId}-01`);
});

test("without a collector the caller's trace is kept and sent on; a malformed or missing one makes none", async () => {
  const receiver = await startReceiver(status(204));
  await using service = await startService({ settings: { WEBHOOK_ALLOW_PRIVATE: "127.0.0.0/8" } });
  await service.ann.post("/v1/webhooks", { url: receiver.url, types: ["job.succeeded"] });
  const header = `00-${TRACE_ID}-${CALLER_SPAN}-01`;
  const jobs = [
    await submitTraced(service.url(), ann, { runs: [image()] }, header),
    await submitTraced(service.url(), ann, { runs: [image()] }, `00-${"0".repeat(32)}-${CALLER_SPAN}-01`),
  ];
  for (const { id } of jobs) await service.ended(id);
  await until("both deliveries", () => receiver.received.length === 2);
  const sent = receiver.received.map(({ headers }) => headers.traceparent).sort();
  expect(sent).toEqual([header, undefined]);
  expect((await service.ann.get(`/v1/jobs/${jobs[0]?.id}`)).body.trace_url).toBe(null);
});

test("a trace that its caller does not sample is sent on and not recorded", async () => {
  await using collector = await startCollector();
  await using service = await startService({ settings: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url } });
  const unsampled = await submitTraced(
    service.url(),
    ann,
    { runs: [image()] },
    `00-${TRACE_ID}-${CALLER_SPAN}-00`,
  );
  await service.ended(unsampled.id);
  const sampled = await service.submit({ runs: [image()] });
  await service.ended(sampled.id);
  await service.stop();
  expect(collector.spans.length).toBeGreaterThan(0);
  expect(collector.spans.filter(({ traceId }) => traceId === TRACE_ID)).toEqual([]);
  expect(new Set(collector.spans.map(({ traceId }) => traceId)).size).toBe(1);
});

test("a collector that cannot be reached costs a line of the log, and neither a job nor the end", async () => {
  const settings = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}` };
  await using service = await startService({ settings });
  expect((await service.run(image())).status).toBe("succeeded");
  await service.stop();
  const stopped = service.logLines.map((line) => JSON.parse(line)).find(({ event }) => event === "stopped");
  expect(stopped).toMatchObject({ how: "drained", closed: true });
  await until("the line", () => service.logLines.some((line) => line.includes("traces_not_exported")));
});
