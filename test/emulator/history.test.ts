// The switch `history`: pages that are smaller, rows that shift, rows of others and rows that cannot be read.
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { type Json, openScene, type Scene, until } from "./scene.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
beforeEach(() => scene.emulator.reset());
afterAll(() => scene.close());

type History = NonNullable<Parameters<Scene["emulator"]["setChaos"]>[0]["history"]>;
const set = (history: History) => scene.emulator.setChaos({ history });

/** Runs named 1, 2, 3… */
async function run(count: number): Promise<void> {
  for (let nth = 1; nth <= count; nth++) await scene.image({ file_name: String(nth) });
  await until(() => scene.emulator.executions().every((one) => one.isTerminal));
}
async function names(query: string): Promise<string> {
  const { body } = await scene.get(`/billing/history?${query}`);
  return body.executions.map((row: Json) => row?.file_name ?? "?").join(" ");
}

it("a page is no larger than the switch allows, whatever limit is requested", async () => {
  await run(5);
  set({ page: 2 });
  expect(await names("limit=100")).toBe("5 4");
  expect(await names("limit=100&offset=2")).toBe("3 2");
  expect(await names("limit=1")).toBe("5");
  const { body } = await scene.get("/billing/history?limit=100");
  expect(body).toMatchObject({ limit: 2, offset: 0, total_executions: 5 });
});

it("rows come oldest first, or in one random order for all pages", async () => {
  await run(6);
  set({ order: "oldest" });
  expect(await names("limit=3")).toBe("1 2 3");
  set({ order: "unsorted" });
  const pages = [await names("limit=3"), await names("limit=3&offset=3")].join(" ");
  expect(pages.split(" ").sort().join(" ")).toBe("1 2 3 4 5 6");
  expect(pages).not.toBe("1 2 3 4 5 6");
  expect(pages).not.toBe("6 5 4 3 2 1");
});

it("thousands of newer rows of other accounts come before the account's own", async () => {
  await run(1);
  set({ foreign: 3000 });
  const { body } = await scene.get("/billing/history?limit=1000");
  expect(body.total_executions).toBe(3001);
  expect(body.executions.every((row: Json) => row.file_name === "of-somebody-else.py")).toBe(true);
  expect(await names("limit=1000&offset=3000")).toBe("1");
});

it("rows shift between two pages because others arrive", async () => {
  await run(4);
  set({ arriving: 1 });
  expect(await names("limit=2")).toBe("4 3");
  expect(await names("limit=2&offset=2")).toBe("3 2");
});

it("the switch puts an unreadable row after every so many rows", async () => {
  await run(4);
  set({ unreadable: 2 });
  expect(await names("limit=10")).toBe("4 3 ? 2 1 ?");
});

it("sub-jobs of a GPU selection are found under their parent, with their cost", async () => {
  scene.emulator.setChaos({ delay: "200ms" });
  const { body } = await scene.post("/execution/gpu_selection/start", { code: "1" });
  await scene.ended(body.execution_id);
  const history = (await scene.get("/billing/history")).body.executions;
  const children = history.filter((row: Json) => row.parent_execution_id === body.execution_id);
  expect(children).toHaveLength(3);
  for (const child of children) expect(child.billed).toBeGreaterThan(0);
});
