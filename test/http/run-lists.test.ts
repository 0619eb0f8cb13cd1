// Lists of runs over HTTP: the filters, the orders and the pages of the contract.
import { beforeAll, expect, it } from "vitest";
import { eachService } from "../support/each-service.ts";
import { image, type Json } from "../support/service.ts";

eachService("lists of runs", {}, (of) => {
  let sweep: string;
  let others: string;
  let runs: Json[];

  beforeAll(async () => {
    others = (await of().submit({ name: "others", runs: [image("", { name: "a" })] })).id;
    sweep = (
      await of().submit({
        name: "sweep",
        runs: [
          image("delay=300", { name: "slow" }),
          image("status=failed exit=3", { name: "bad" }),
          { kind: "python", name: "a", code: "print(1)", execution_type: "gpu.a100" },
          image("delay=50", { name: "quick" }),
        ],
      })
    ).id;
    await of().ended(others);
    runs = await of().ended(sweep);
  });

  async function list(path: string, who: "ann" | "bob" | "reader" = "ann"): Promise<Json[]> {
    const found: Json[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const answer: Json = await of()[who].get(`${path}${cursor && `&cursor=${cursor}`}`);
      if (answer.status !== 200) throw new Error(answer.text);
      found.push(...answer.body.data);
      cursor = answer.body.next_cursor;
    }
    return found;
  }
  const names = (found: Json[]) => found.map(({ name }) => name);

  it("runs over all jobs are listed newest first, in pages, as the run itself is shown", async () => {
    const found = await list("/v1/runs?limit=2");
    expect(names(found)).toEqual(["quick", "a", "bad", "slow", "a"]);
    // A run that is read by itself also links to its trace.
    const { trace_url: _, ...alone } = (await of().ann.get(`/v1/runs/${runs[2]?.id}`)).body;
    expect(found[1]).toEqual(alone);
  });

  it("runs are filtered by each parameter, over all jobs and in one", async () => {
    const cases: [string, string[]][] = [
      ["status=failed", ["bad"]],
      ["status=failed,cancelled", ["bad"]],
      ["status=queued,active", []],
      ["outcome=failed", ["bad"]],
      ["error_code=failed", ["bad"]],
      ["error_code=timeout", []],
      ["reason=out_of_memory", []],
      ["name=slow", ["slow"]],
      ["kind=python", ["a"]],
      ["hardware=gpu.a100", ["a"]],
      [`created_after=2020-01-31T12:00:00Z&name=quick`, ["quick"]],
      [`created_before=2020-01-31T12:00:00Z`, []],
    ];
    for (const [query, expected] of cases) {
      expect([query, names(await list(`/v1/runs?${query}`))]).toEqual([query, expected]);
      expect([query, names(await list(`/v1/jobs/${sweep}/runs?${query}`))]).toEqual([query, expected]);
    }
    expect(names(await list(`/v1/runs?job_id=${sweep}&limit=3`))).toEqual(["quick", "a", "bad", "slow"]);
    expect(await list(`/v1/runs?job_id=${sweep}`, "bob")).toEqual([]);
  });

  it("submitters see the runs of their own key only", async () => {
    expect(await list("/v1/runs?limit=9", "bob")).toEqual([]);
    expect(await list("/v1/runs?limit=9", "reader")).toHaveLength(5);
  });

  it("a job's runs are sorted in each order and direction, runs without the value last", async () => {
    await of().ann.post(`/v1/runs/${runs[1]?.id}/retry`);
    // A run whose sort value changes between two pages changes its place.
    await of().runAt(sweep, 4, (run) => run.ended_at !== null);
    const all = await list(`/v1/jobs/${sweep}/runs?limit=1`);
    expect(all.map(({ position }) => position)).toEqual([0, 1, 2, 3, 4]);
    expect(await list(`/v1/jobs/${sweep}/runs?sort=-position&limit=2`)).toEqual(all.toReversed());
    const fields = { duration: "duration_ms", cost: "cost", ended_at: "ended_at" } as const;
    for (const sort of ["duration", "cost", "ended_at"] as const)
      for (const [sign, way] of [
        ["", 1],
        ["-", -1],
      ] as const) {
        const found = await list(`/v1/jobs/${sweep}/runs?sort=${sign}${sort}&limit=2`);
        const values = found.map((run) => run[fields[sort]]);
        const known = values.filter((value) => value !== null);
        const sorted = known.toSorted((a, b) => (a < b ? -way : a > b ? way : 0));
        expect([sort, sign, values]).toEqual([
          sort,
          sign,
          [...sorted, ...Array(values.length - known.length).fill(null)],
        ]);
        expect(new Set(found.map(({ id }) => id)).size).toBe(5);
      }
  });

  it("a list of runs refuses a cursor of another order", async () => {
    const { next_cursor } = (await of().ann.get(`/v1/jobs/${sweep}/runs?sort=cost&limit=1`)).body;
    const answer = await of().ann.get(`/v1/jobs/${sweep}/runs?sort=-cost&cursor=${next_cursor}`);
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ pointer: "query:cursor" }] } });
  });

  it("jobs are filtered by key and by several statuses", async () => {
    const ids = async (query: string, who: "ann" | "bob" | "reader" = "ann") =>
      (await list(`/v1/jobs?${query}`, who)).map(({ id }) => id);
    expect(await ids("status=failed,cancelled")).toEqual([sweep]);
    expect(await ids("status=succeeded,failed")).toEqual([sweep, others]);
    expect(await ids("key=ann", "reader")).toEqual([sweep, others]);
    expect(await ids("key=bob", "reader")).toEqual([]);
    expect(await ids("key=ann")).toEqual([sweep, others]);
    expect(await ids("key=ann", "bob")).toEqual([]);
    expect((await of().ann.get("/v1/jobs?status=failed,done")).status).toBe(422);
  });
});
