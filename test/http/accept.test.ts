// In which form an answer comes: the log, the results and the events have two each.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { image, type RunView, type Service, startService } from "../support/service.ts";

let service: Service;
let run: RunView;
beforeAll(async () => {
  service = await startService();
  run = await service.run(image());
});
afterAll(() => service.close());

const typeOf = async (path: string, Accept: string) => {
  const { status, headers } = await service.ann.get(path, { Accept });
  expect(status).toBe(200);
  return headers.get("Content-Type")?.split(";")[0];
};

const lines = "application/x-ndjson";

describe("a log comes", () => {
  it.each([
    ["text/plain", "text/plain"],
    ["text/plain; charset=utf-8, */*;q=0.1", "text/plain"],
    ["TEXT/PLAIN", "text/plain"],
    ["text/plain, application/json;q=0", "text/plain"],
    ["application/json, text/plain, */*", lines],
    ["text/plain, application/x-ndjson", lines],
    ["text/plain;q=0", lines],
    ["text/plain; q=0.000, */*", lines],
    ["x-text/plain", lines],
    ["*/*", lines],
    ["", lines],
  ])("a log for Accept: %s is sent as %s", async (accept, type) => {
    expect(await typeOf(`/v1/runs/${run.id}/logs`, accept)).toBe(type);
  });
});

describe("results come", () => {
  it.each([
    ["text/csv", "text/csv"],
    ["application/json, text/csv;q=0.5", "text/csv"],
    ["text/csv;q=0, */*", "application/json"],
    ["*/*", "application/json"],
  ])("results for Accept: %s are sent as %s", async (accept, type) => {
    expect(await typeOf(`/v1/jobs/${run.job_id}/results`, accept)).toBe(type);
  });
});

it("a caller that asks for JSON and takes no stream gets events as a list", async () => {
  const accept = "application/json, text/event-stream;q=0";
  expect(await typeOf(`/v1/jobs/${run.job_id}/events`, accept)).toBe("application/json");
});
