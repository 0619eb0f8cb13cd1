// The rights of each role, read off the route table, so that a new route is checked, too.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { routes } from "../../src/http/app.ts";
import type { Route } from "../../src/http/route.ts";
import { apiKeys, image, type RunView, type Service, startService } from "../support/service.ts";

let service: Service;
let run: RunView;
beforeAll(async () => {
  service = await startService();
  run = await service.run(image());
});
afterAll(() => service.close());

const missing = { job: "job_01j0000000000000000000000a", run: "run_01j0000000000000000000000a" };
const execution = "exe_01j0000000000000000000000a";

/** A list where a route could also answer with a stream that does not end. */
const list = { Accept: "application/json" };

/** The route's path about things that do not exist, so that no route does harm. */
function pathOf({ path }: Route): string {
  return path.replace(":job", missing.job).replace(":run", missing.run).replace(/:\w+/g, execution);
}

/** The same path about things that are Ann's. */
function annsPathOf({ path }: Route): string {
  const own = run.executions[0]?.id ?? "";
  return path.replace(":job", run.job_id).replace(":run", run.id).replace(/:\w+/g, own);
}

const guarded = routes.filter(({ access }) => access !== "open" && access !== "callback");
const isLetIn = { reader: ["read"], ann: ["read", "write"], admin: ["read", "write", "admin"] };
const named = guarded.map((route) => [`${route.method} ${route.path}`, route] as const);

describe.each(named)("%s", (_, route) => {
  it("the route refuses a caller without a valid key", async () => {
    const wrong = [
      {},
      { Authorization: "" },
      { Authorization: apiKeys.ann },
      { Authorization: `Basic ${Buffer.from(`ann:${apiKeys.ann}`).toString("base64")}` },
      { Authorization: `Bearer ${apiKeys.ann}x` },
      { Authorization: `Bearer ${apiKeys.ann.slice(0, -1)}` },
      { Authorization: `Bearer ${apiKeys.ann} ${apiKeys.bob}` },
      { Authorization: "Bearer" },
    ];
    for (const headers of wrong) {
      const answer = await service.nobody.call(
        route.method,
        pathOf(route),
        undefined,
        headers as Record<string, string>,
      );
      // So many wrong keys in a row pause their address.
      if (answer.status === 429) expect(answer.body.type).toBe("urn:proctor:problem:too-many-attempts");
      else {
        expect(answer).toMatchObject({ status: 401, body: { type: "urn:proctor:problem:unauthorized" } });
        expect(answer.headers.get("WWW-Authenticate")).toBe("Bearer");
      }
    }
  });

  const guests = (["reader", "ann", "admin"] as const).filter((name) => isLetIn[name].includes(route.access));
  it(`the route is open to ${guests.join(", ")}, and refuses every other role`, async () => {
    for (const name of ["reader", "ann", "admin"] as const) {
      const { status } = await service[name].call(route.method, pathOf(route), undefined, list);
      if (guests.includes(name)) expect([401, 403]).not.toContain(status);
      else expect(status).toBe(403);
    }
  });

  it.runIf(/:(job|run|execution)/.test(route.path))(
    "another key's resource is answered like a missing one",
    async () => {
      const ask = (path: string) =>
        service.bob.call(route.method, path, undefined, { ...list, "X-Request-Id": "same" });
      const [foreign, absent] = [await ask(annsPathOf(route)), await ask(pathOf(route))];
      expect(foreign.status).toBe(404);
      expect([foreign.status, foreign.text]).toEqual([absent.status, absent.text]);
    },
  );
});

it("the refused requests above changed nothing", async () => {
  expect((await service.ann.get(`/v1/runs/${run.id}`)).body).toEqual({ ...run, trace_url: null });
});

it("lists show submitters their own jobs, and readers and administrators all of them", async () => {
  const bobs = await service.bob.post("/v1/jobs", { runs: [image()] });
  const seenBy = async (name: "ann" | "bob" | "reader" | "admin") => {
    const { data } = (await service[name].get("/v1/jobs")).body;
    return data.map((job: { id: string }) => job.id).toSorted();
  };
  const all = [run.job_id, bobs.body.id].toSorted();
  expect(await seenBy("ann")).toEqual([run.job_id]);
  expect(await seenBy("bob")).toEqual([bobs.body.id]);
  expect(await seenBy("reader")).toEqual(all);
  expect(await seenBy("admin")).toEqual(all);
  expect((await service.reader.get(`/v1/runs/${run.id}`)).body).toEqual({ ...run, trace_url: null });
  expect((await service.admin.get(`/v1/runs/${run.id}/output`)).status).toBe(200);
});

it("an administrator may cancel and delete the jobs of another key", async () => {
  const { id } = await service.submit({ runs: [image("delay=50s")] });
  expect((await service.bob.post(`/v1/jobs/${id}/cancel`)).status).toBe(404);
  expect((await service.admin.post(`/v1/jobs/${id}/cancel`)).status).toBe(200);
  await service.ended(id);
  expect((await service.admin.call("DELETE", `/v1/jobs/${id}`)).status).toBe(204);
});

it("the authorization scheme is read in any letter case, as HTTP says", async () => {
  const answer = await service.nobody.get("/v1/jobs", { Authorization: `bearer  ${apiKeys.ann}` });
  expect(answer.status).toBe(200);
});
