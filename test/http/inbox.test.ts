// The inbox over all executions: newest first, filtered, and each key's own.
import { beforeAll, expect, it } from "vitest";
import { callbackToken } from "../../src/domain/callback-token.ts";
import { eachService } from "../support/each-service.ts";
import { callbackSecret, image, type Json } from "../support/service.ts";

eachService("the inbox", {}, (of) => {
  const executions: string[] = [];
  const ids = (page: Json) => page.data.map((one: Json) => one.id);
  const inbox = async (query = "", who: "ann" | "bob" | "reader" = "ann") =>
    (await of()[who].get(`/v1/callbacks?limit=1000${query}`)).body;

  beforeAll(async () => {
    executions.length = 0;
    for (let n = 0; n < 2; n++) {
      const run = await of().run(image("callback=lost", { env: { TOKEN: "canary-value-of-env" } }));
      const [execution] = run.executions;
      if (execution === undefined) throw new Error("a run without executions");
      executions.push(execution.id);
    }
    for (const id of [executions[0], executions[1], executions[0]]) {
      const path = `/callbacks/lyceum/${id}/${callbackToken(callbackSecret, id ?? "")}`;
      expect((await of().nobody.post(path, { says: "canary-value-of-env" })).status).toBe(204);
    }
  });

  it("the inbox lists the callbacks of all executions, newest first and without secrets", async () => {
    const { data } = await inbox();
    const own = data.filter((one: Json) => one.disposition !== "received");
    expect(own.map((one: Json) => one.execution_id)).toEqual([executions[0], executions[1], executions[0]]);
    expect(ids({ data })).toEqual(ids({ data }).toSorted().toReversed());
    expect(own.map((one: Json) => one.body)).toEqual(Array(3).fill('{"says":"[hidden]"}'));
  });

  it("the inbox is filtered by disposition, execution and time", async () => {
    const all = (await inbox()).data;
    for (const disposition of ["received", "early", "duplicate", "late"])
      expect(ids(await inbox(`&disposition=${disposition}`))).toEqual(
        ids({ data: all.filter((one: Json) => one.disposition === disposition) }),
      );
    const ofOne = all.filter((one: Json) => one.execution_id === executions[0]);
    expect(ids(await inbox(`&execution_id=${executions[0]}`))).toEqual(ids({ data: ofOne }));
    const middle = all[1].received_at;
    const after = all.filter((one: Json) => one.received_at > middle);
    const before = all.filter((one: Json) => one.received_at < middle);
    expect(ids(await inbox(`&received_after=${middle}`))).toEqual(ids({ data: after }));
    expect(ids(await inbox(`&received_before=${middle}`))).toEqual(ids({ data: before }));
  });

  it("the inbox pages neither skip nor repeat while callbacks arrive", async () => {
    const known = ids(await inbox());
    const seen: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page: Json = (await of().ann.get(`/v1/callbacks?limit=1${cursor && `&cursor=${cursor}`}`)).body;
      seen.push(...ids(page));
      cursor = page.next_cursor;
      const token = callbackToken(callbackSecret, executions[1] ?? "");
      await of().nobody.post(`/callbacks/lyceum/${executions[1]}/${token}`);
    }
    expect(seen).toEqual(known);
  });

  it("the inbox shows submitters their own jobs' callbacks only, and readers all", async () => {
    const bobs = await inbox("", "bob");
    expect([bobs.data, bobs.next_cursor]).toEqual([[], null]);
    expect(ids(await inbox("", "reader"))).toEqual(ids(await inbox()));
  });
});
