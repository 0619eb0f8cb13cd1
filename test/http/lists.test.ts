// Lists: pages without gaps or repeats, filters, and parameters that are checked like everything else.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { image, type Json, type Service, startService } from "../support/service.ts";

let service: Service;
let jobIds: string[];
beforeAll(async () => {
  service = await startService();
  service.network.lyceumIsUp = false;
  jobIds = [];
  for (let n = 0; n < 7; n++) jobIds.push((await service.submit({ name: `n${n % 2}`, runs: [image()] })).id);
});
afterAll(() => service.close());

/** Follows the cursors to the end; `between` happens after each page. */
async function pages(path: string, between: () => Promise<unknown> = async () => {}): Promise<Json[][]> {
  const all: Json[][] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const { status, body, text } = await service.ann.get(
      `${path}${cursor === "" ? "" : `&cursor=${cursor}`}`,
    );
    if (status !== 200) throw new Error(text);
    all.push(body.data);
    cursor = body.next_cursor;
    await between();
  }
  return all;
}

const idsOf = (found: Json[][]) => found.flat().map((one) => one.id);

describe("the list of jobs", () => {
  it("jobs are listed newest first, in pages that neither skip nor repeat while new jobs arrive", async () => {
    const known = idsOf(await pages("/v1/jobs?limit=1000"));
    const found = await pages("/v1/jobs?limit=2", () =>
      service.submit({ name: "newcomer", runs: [image()] }),
    );
    expect(idsOf(found)).toEqual(known);
    expect(known.slice(-7)).toEqual(jobIds.toReversed());
    expect(found.every((page) => page.length <= 2)).toBe(true);
  });

  it("a last full page has no further page", async () => {
    const found = await pages("/v1/jobs?limit=7&name=n0");
    expect(found.map((page) => page.length)).toEqual([4]);
    expect((await service.ann.get("/v1/jobs?limit=4&name=n0")).body.next_cursor).toBeNull();
  });

  it("jobs are filtered by status, name and time", async () => {
    expect(idsOf(await pages("/v1/jobs?limit=2&name=n1"))).toEqual([jobIds[5], jobIds[3], jobIds[1]]);
    expect(idsOf(await pages("/v1/jobs?limit=50&status=succeeded"))).toEqual([]);
    const third = (await service.ann.get(`/v1/jobs/${jobIds[2]}`)).body.created_at;
    const since = idsOf(await pages(`/v1/jobs?limit=50&created_after=${third}`));
    const until = idsOf(await pages(`/v1/jobs?limit=50&created_before=${third}`));
    expect(until).toEqual(jobIds.slice(0, 2).toReversed());
    expect(since.slice(-4)).toEqual(jobIds.slice(3).toReversed());
    const zoned = encodeURIComponent(third.replace("Z", "+00:00"));
    expect(idsOf(await pages(`/v1/jobs?limit=50&created_before=${zoned}`))).toEqual(until);
  });
});

describe("the list of a job's runs", () => {
  it("a job's runs are listed in the order of the submission, and an added run comes last", async () => {
    const names = Array.from({ length: 9 }, (_, n) => `run ${n}`);
    const { id } = await service.submit({ runs: names.map((name) => image("", { name })) });
    const [first] = await service.runsOf(id);
    let retried = false;
    const found = await pages(`/v1/jobs/${id}/runs?limit=4`, async () => {
      if (retried) return;
      retried = true;
      await service.ann.post(`/v1/jobs/${id}/cancel`);
      await service.ended(id);
      expect((await service.ann.post(`/v1/runs/${first?.id}/retry`)).status).toBe(202);
    });
    expect(found.flat().map((run) => run.name)).toEqual([...names, "run 0"]);
    expect(new Set(idsOf(found)).size).toBe(10);
  });
});

describe("a parameter", () => {
  const refused = [
    ["/v1/jobs?limit=0", "query:limit"],
    ["/v1/jobs?limit=1001", "query:limit"],
    ["/v1/jobs?limit=-1", "query:limit"],
    ["/v1/jobs?limit=ten", "query:limit"],
    ["/v1/jobs?limit=", "query:limit"],
    ["/v1/jobs?limit=1e1", "query:limit"],
    ["/v1/jobs?status=done", "query:status"],
    ["/v1/jobs?name=", "query:name"],
    ["/v1/jobs?name=%00", "query:name"],
    ["/v1/jobs?created_after=yesterday", "query:created_after"],
    ["/v1/jobs?created_before=2026-01-31", "query:created_before"],
    ["/v1/jobs?cursor=nonsense", "query:cursor"],
    ["/v1/jobs?cursor=", "query:cursor"],
    [`/v1/jobs?cursor=${"a".repeat(300)}`, "query:cursor"],
    ["/v1/jobs?colour=red", "query:colour"],
    ["/v1/jobs?Limit=1", "query:Limit"],
    ["/v1/jobs/x?verbose=1", "query:verbose"],
    ["/v1/jobs?status=failed,", "query:status"],
    ["/v1/jobs?key=a%20b", "query:key"],
    ["/v1/jobs/x/runs?status=done", "query:status"],
    ["/v1/jobs/x/runs?sort=name", "query:sort"],
    ["/v1/runs?job_id=x", "query:job_id"],
    ["/v1/runs?error_code=A", "query:error_code"],
    ["/v1/callbacks?disposition=rejected", "query:disposition"],
    ["/v1/runs/x?a=1", "query:a"],
    ["/v1/runs/x/output?attempt=0", "query:attempt"],
    ["/v1/runs/x/logs?attempt=last", "query:attempt"],
    ["/v1/executions/x?a=1", "query:a"],
    ["/v1/executions/x/callbacks?limit=0", "query:limit"],
    ["/v1/status?a=1", "query:a"],
    ["/v1/status?constructor=1", "query:constructor"],
    ["/v1/jobs?limit=1&limit=2", "query:limit"],
    ["/v1/runs/x?wait=1s&wait=1s", "query:wait"],
    ["/v1/usage?key=%00", "query:key"],
    ["/v1/usage?key=a%20b", "query:key"],
  ];
  it.each(refused)("an invalid parameter is refused by name: %s", async (path, pointer) => {
    const answer = await service.ann.get(path);
    expect(answer).toMatchObject({ status: 422, body: { type: "urn:proctor:problem:validation-failed" } });
    expect(answer.body.errors.map((error: Json) => error.pointer)).toEqual([pointer]);
  });

  it.each([
    "/v1/jobs?dry_run=true",
    "/v1/jobs/x/cancel?mode=stop",
    "/v1/runs/x/cancel?mode=stop",
    "/v1/runs/x/retry?times=1",
    "/v1/webhooks/x/enable?now=1",
    "/v1/jobs/x/deliveries/x/redeliver?a=1",
  ])("a parameter where none is defined is refused: POST %s", async (path) => {
    const [, name] = path.split(/[?=]/);
    const { status, body } = await service.ann.post(path, { runs: [image()] });
    const detail = "is not a known field";
    expect([status, body.errors]).toEqual([422, [{ pointer: `query:${name}`, detail }]]);
  });

  it("a parameter on a route without a query is refused before anything is done", async () => {
    const { id } = await service.submit({ runs: [image()] });
    expect((await service.ann.post(`/v1/jobs/${id}/cancel?mode=stop`)).status).toBe(422);
    expect((await service.ann.get(`/v1/jobs/${id}`)).body.cancellation).toBeNull();
  });

  it("an invalid parameter is reported together with the others", async () => {
    const { body } = await service.ann.get("/v1/jobs?limit=0&status=x&colour=red");
    expect(body.errors.map((error: Json) => error.pointer).sort()).toEqual([
      "query:colour",
      "query:limit",
      "query:status",
    ]);
  });

  it("a cursor of another list is refused", async () => {
    const { id } = await service.submit({ runs: [image(), image()] });
    const ofJobs = (await service.ann.get("/v1/jobs?limit=1")).body.next_cursor;
    const ofRuns = (await service.ann.get(`/v1/jobs/${id}/runs?limit=1`)).body.next_cursor;
    const tries = [`/v1/jobs?cursor=${ofRuns}`, `/v1/jobs/${id}/runs?cursor=${ofJobs}`];
    for (const path of tries) {
      const answer = await service.ann.get(path);
      expect(answer).toMatchObject({ status: 422, body: { errors: [{ pointer: "query:cursor" }] } });
    }
  });
});
