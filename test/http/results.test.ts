// The table of results: over a matrix with failures and retries, as a list and as CSV.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { apiKeys, image, type Json, type Service, startService } from "../support/service.ts";

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

const csv = { Accept: "text/csv" };
/** Splits a CSV file without quotes into cells. */
const cells = (text: string) =>
  text
    .trimEnd()
    .split("\r\n")
    .map((line) => line.split(","));

describe("a matrix with failures and retries", () => {
  let id: string;
  beforeAll(async () => {
    const matrix = { EMULATOR: ["exit=0 delay=40ms", "exit=3 delay=40ms"], SEED: ["1", "2"] };
    const job = await service.submit({
      runs: [image("", { name: "sweep", matrix, execution_type: "gpu.a100" }), image("", { name: "alone" })],
      retry: { max_attempts: 2, on: ["failed"] },
    });
    id = job.id;
    await service.ended(id);
  });

  it("the results have one row per run, in the order of the submission", async () => {
    const { body } = await service.ann.get(`/v1/jobs/${id}/results`);
    expect(body.next_cursor).toBeNull();
    expect(
      body.data.map((row: Json) => [row.position, row.name, row.status, row.attempts, row.return_code]),
    ).toEqual([
      [0, "sweep", "succeeded", 1, 0],
      [1, "sweep", "succeeded", 1, 0],
      [2, "sweep", "failed", 2, 3],
      [3, "sweep", "failed", 2, 3],
      [4, "alone", "succeeded", 1, 0],
    ]);
    expect(body.data[2]).toMatchObject({
      matrix: { EMULATOR: "exit=3 delay=40ms", SEED: "1" },
      hardware: "gpu.a100",
      cost_source: "billed",
      error_code: "failed",
      gpu_utilization_percent: expect.any(Number),
    });
    expect(body.data[4]).toMatchObject({ matrix: null, hardware: "cpu", gpu_utilization_percent: null });
  });

  it("a row has the cost of every attempt, and the job's cost is the sum of its rows", async () => {
    const [runs, results, job] = [
      await service.runsOf(id),
      (await service.ann.get(`/v1/jobs/${id}/results`)).body.data,
      (await service.ann.get(`/v1/jobs/${id}`)).body,
    ];
    for (const run of runs) {
      const attempts = run.executions.map(({ cost }) => cost ?? 0);
      expect(attempts).toHaveLength(run.attempts);
      expect(run.cost).toBeCloseTo(
        attempts.reduce((sum, cost) => sum + cost, 0),
        9,
      );
    }
    const total = results.reduce((sum: number, row: Json) => sum + row.cost, 0);
    expect(total).toBeGreaterThan(0);
    expect(job.cost).toMatchObject({ estimated: 0, unpriced: 0 });
    expect(job.cost.total).toBeCloseTo(total, 9);
    expect(job.cost.billed).toBe(job.cost.total);
  });

  it("the results page without gaps", async () => {
    const seen: number[] = [];
    let cursor = "";
    do {
      const { body } = await service.ann.get(`/v1/jobs/${id}/results?limit=2${cursor}`);
      seen.push(...body.data.map((row: Json) => row.position));
      cursor = body.next_cursor === null ? "" : `&cursor=${body.next_cursor}`;
    } while (cursor !== "");
    expect(seen).toEqual([0, 1, 2, 3, 4]);
  });

  it("the CSV has a column per name of the matrix, and the same values as the list", async () => {
    const answer = await service.ann.get(`/v1/jobs/${id}/results`, csv);
    expect(answer.headers.get("Content-Type")).toBe("text/csv; charset=utf-8; header=present");
    expect(answer.headers.get("Content-Disposition")).toBe(`attachment; filename="${id}.csv"`);
    const [header = [], ...rows] = cells(answer.text);
    expect(header).toEqual(
      "run_id,position,name,EMULATOR,SEED,status,attempts,return_code,duration_ms,cost,cost_source,hardware,gpu_utilization_percent,gpu_idle_share,energy_wh,error_code,error_reason,retry_of,outcome".split(
        ",",
      ),
    );
    const { data } = (await service.ann.get(`/v1/jobs/${id}/results`)).body;
    const asText = (value: unknown) => (value === null || value === undefined ? "" : String(value));
    expect(rows).toEqual(
      data.map((row: Json) => header.map((name) => asText(row.matrix?.[name] ?? row[name]))),
    );
  });

  it("the results refuse unknown parameters, and hide another key's job", async () => {
    expect((await service.ann.get(`/v1/jobs/${id}/results?limit=2`, csv)).status).toBe(422);
    expect((await service.ann.get(`/v1/jobs/${id}/results?format=csv`)).status).toBe(422);
    for (const headers of [csv, {}]) {
      expect((await service.bob.get(`/v1/jobs/${id}/results`, headers)).status).toBe(404);
      expect((await service.reader.get(`/v1/jobs/${id}/results`, headers)).status).toBe(200);
    }
  });
});

describe("while Lyceum is away", () => {
  beforeAll(() => {
    service.network.lyceumIsUp = false;
  });

  it("a text that a spreadsheet would take for a formula is made harmless, and a number is not changed", async () => {
    const values = ["=1+1", "+x", "-2+3", "@sum", "\tx", "-0.1", "+1e-3", "plain"];
    const python = { kind: "python", code: "1", name: "=HYPERLINK(1)", matrix: { V: values } };
    const { id } = await service.submit({ runs: [python] });
    const rows = cells((await service.ann.get(`/v1/jobs/${id}/results`, csv)).text).slice(1);
    expect(rows.map((row) => row[3])).toEqual([
      "'=1+1",
      "'+x",
      "'-2+3",
      "'@sum",
      "'\tx",
      "-0.1",
      "+1e-3",
      "plain",
    ]);
    expect(new Set(rows.map((row) => row[2]))).toEqual(new Set(["'=HYPERLINK(1)"]));
  });

  it("a value with line feeds breaks no row, and none of its lines passes for a formula", async () => {
    const values = ["a\n=1+1", "b\r@c", "\n-x", "1\n2"];
    const { id } = await service.submit({ runs: [{ kind: "python", code: "1", matrix: { V: values } }] });
    const { text } = await service.ann.get(`/v1/jobs/${id}/results`, csv);
    for (const quoted of ['"a\n\'=1+1"', '"b\r\'@c"', '"\n\'-x"', '"1\n2"'])
      expect(text).toContain(`,${quoted},`);
  });

  it("quotes, commas and line breaks are quoted, and a matrix name never doubles a column", async () => {
    const matrix = { status: ['say "a,\r\nb"'], B: ["é"] };
    const { id } = await service.submit({ runs: [{ kind: "python", code: "1", matrix }] });
    const { text } = await service.ann.get(`/v1/jobs/${id}/results`, csv);
    const [header = "", ...rest] = text.split("\r\n");
    expect(header.split(",").slice(2, 6)).toEqual(["name", "matrix.status", "B", "status"]);
    expect(rest.join("\r\n")).toMatch(/^run_\w+,0,,"say ""a,\r\nb""",é,queued,0,(,)+\r\n$/);
  });

  it("names of several matrices each get a column, empty where a run does not have the name", async () => {
    const run = (matrix: object) => ({ kind: "python", code: "1", matrix });
    const { id } = await service.submit({
      runs: [run({ A: ["1"] }), { kind: "python", code: "1" }, run({ B: ["2"], A: ["3"] })],
    });
    const rows = cells((await service.ann.get(`/v1/jobs/${id}/results`, csv)).text);
    expect(rows.map((row) => row.slice(3, 5))).toEqual([
      ["A", "B"],
      ["1", ""],
      ["", ""],
      ["3", "2"],
    ]);
  });

  it("ten thousand rows are sent completely, in small pieces", async () => {
    const hundred = Array.from({ length: 100 }, (_, index) => String(index));
    const { id } = await service.submit({
      runs: [{ kind: "python", code: "1", matrix: { A: hundred, B: hundred } }],
    });
    const answer = await fetch(`${service.url()}/v1/jobs/${id}/results`, {
      headers: { Authorization: `Bearer ${apiKeys.ann}`, ...csv },
    });
    const pieces: Buffer[] = [];
    for await (const piece of answer.body ?? []) pieces.push(Buffer.from(piece));
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThan(128 * 1024);
    const [header = [], ...rows] = cells(Buffer.concat(pieces).toString());
    expect(rows).toHaveLength(10_000);
    expect(rows.map((row) => Number(row[1]))).toEqual(rows.map((_, index) => index));
    expect(rows.every((row) => row.length === header.length)).toBe(true);
    expect(rows.at(-1)?.slice(3, 6)).toEqual(["99", "99", "queued"]);
  });
});
