// A list that has not kept pace, or cannot be had: what is true all the same becomes known, within bounds.
import { expect, test } from "vitest";
import { onSqlite } from "../support/databases.ts";
import { tell } from "../support/scene.ts";
import { type Scene, sceneOf } from "./watcher.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const cancel = { type: "cancel", cancellation: { mode: "abort", cause: "request" } } as const;

onSqlite("a list that shows an ended execution alive", (open) => {
  async function stale(): Promise<Scene & { ended: string }> {
    const scene = await sceneOf(await open(), 3, { timeout: 60 });
    const [ended = ""] = scene.ids;
    await scene.workFor(30 * SECOND);
    scene.words.set(ended, "completed");
    scene.staleWords.set(ended, "pending");
    return Object.assign(scene, { ended });
  }

  test("a list that shows an ended execution alive cannot keep it alive past its timeout and the grace of its callback", async () => {
    const scene = await stale();
    await scene.workFor(60 * SECOND + 30 * SECOND + MINUTE - 30 * SECOND);
    expect(await scene.row(scene.ended)).toMatchObject({ phase: "collecting", status: "completed" });
  });

  test("a list that shows an ended execution alive cannot keep it from being cancelled", async () => {
    const scene = await stale();
    await tell(scene.context, scene.ended, cancel);
    await scene.workFor(2 * SECOND);
    expect(await scene.row(scene.ended)).toMatchObject({ phase: "collecting", status: "completed" });
  });

  test("a list that shows an ended execution alive cannot keep it from being cancelled where its record lags behind, too", async () => {
    const scene = await stale();
    scene.words.set(scene.ended, "aborted");
    await tell(scene.context, scene.ended, cancel);
    scene.fields.set(scene.ended, { status: "running" });
    await scene.workFor(8 * SECOND);
    expect((await scene.row(scene.ended))?.phase).toBe("watching");
    scene.fields.delete(scene.ended);
    await scene.workFor(30 * SECOND);
    expect(await scene.row(scene.ended)).toMatchObject({ phase: "collecting", status: "aborted" });
  });

  test("a list that shows an ended execution alive has records of living executions read ever more seldom", async () => {
    const scene = await sceneOf(await open(), 3, { timeout: 60 });
    await scene.workFor(60 * MINUTE);
    const reads = scene.count("record");
    expect(reads).toBeGreaterThan(3 * 8);
    expect(reads).toBeLessThan(3 * 18);
    expect((await scene.rows()).map((row) => row.phase)).toEqual(["watching", "watching", "watching"]);
  });

  test("a list that shows an ended execution alive has no more records read beside it than a bound, the longest unread first", async () => {
    const scene = await sceneOf(await open(), 60, { timeout: 1 });
    await scene.workFor(31 * SECOND);
    const lists = scene.count("list");
    await scene.workFor(30 * SECOND);
    expect(scene.count("record")).toBeLessThanOrEqual(20 * (scene.count("list") - lists + 1));
    await scene.workFor(2 * MINUTE);
    const read = new Set(scene.calls.filter((call) => call.startsWith("record")));
    expect(read.size).toBe(60);
  });
});

const broken = [
  ["a page in its place", { type: "unreachable", detail: "HTML" }],
  ["an unknown envelope", { type: "unreadable", detail: "JSON", isTooLarge: false }],
  ["a 403 of Lyceum's own", { type: "refused", status: 403, detail: "no" }],
] as const;

onSqlite("a list that cannot be read", (open) => {
  test.each(broken)("because of %s is replaced by reads of single records", async (_, answer) => {
    const scene = await sceneOf(await open(), 3);
    const [ended = "", cancelled = ""] = scene.ids;
    scene.broken.set("list", answer);
    scene.words.set(ended, "completed");
    await tell(scene.context, cancelled, cancel);
    scene.words.set(cancelled, "aborted");
    await scene.workFor(MINUTE);
    expect(await scene.row(ended)).toMatchObject({ phase: "collecting", status: "completed" });
    expect(await scene.row(cancelled)).toMatchObject({ phase: "collecting", status: "aborted" });
    expect(scene.calls.indexOf(`record lyceum-${ended}`)).toBeGreaterThan(0);
    expect(scene.count("list")).toBeLessThan(12);
  });

  test("a list that cannot be read only once is not replaced", async () => {
    const scene = await sceneOf(await open(), 3);
    scene.broken.set("list", broken[0][1]);
    scene.time.pass(5 * SECOND);
    await scene.work();
    scene.broken.clear();
    await scene.workFor(MINUTE);
    expect(scene.count("record")).toBe(0);
  });

  test("a list that cannot be read has records read no more often than the longest interval asks for, and no longer than needed", async () => {
    const scene = await sceneOf(await open(), 3);
    scene.broken.set("list", broken[0][1]);
    await scene.workFor(5 * MINUTE);
    const reads = scene.count("record");
    expect(reads).toBeLessThan(3 * 12);
    expect(reads).toBeGreaterThan(3 * 4);
    scene.broken.clear();
    scene.time.pass(MINUTE);
    await scene.work();
    scene.calls = [];
    await scene.workFor(3 * MINUTE);
    expect(scene.count("record")).toBe(0);
  });

  test("a list that cannot be read is no reason to ask for one record after the other while nothing answers", async () => {
    const scene = await sceneOf(await open(), 50);
    scene.isSilent = true;
    await scene.workFor(5 * MINUTE);
    expect(scene.count("record")).toBeLessThanOrEqual(scene.count("list"));
    expect((await scene.rows()).every((row) => row.phase === "watching" && row.unseen_ms === 0)).toBe(true);
  });
});

onSqlite("an end under a word that is not known", (open) => {
  const END = "2026-09-01T08:00:05Z";
  const over = async (word: string, fields: Record<string, unknown>, timeout = 600) => {
    const scene = await sceneOf(await open(), 2, { timeout });
    const [id = ""] = scene.ids;
    scene.words.set(id, word);
    scene.fields.set(id, fields);
    scene.staleWords.set(id, "completed");
    await scene.workFor(10 * SECOND);
    return { scene, id, row: await scene.row(id) };
  };

  test.each([
    ["finished", { end_time: END, return_code: 0 }, "completed"],
    ["finished", { end_time: END, return_code: 3 }, "failed"],
    ["done", { finish_time: END }, "failed"],
    ["archiving", { end_time: END, return_code: 0 }, "completed"],
  ])("%s with %o is one", async (word, fields, status) => {
    const { row } = await over(word, fields);
    expect(row).toMatchObject({ phase: "collecting", status, raw_status: word });
    if (status === "failed") expect(row?.error).toContain(word);
  });

  test.each([
    ["finished", {}],
    ["finished", { return_code: 0 }],
    ["finishing", { end_time: END }],
    ["running", { end_time: END, finish_time: END }],
  ])("%s with %o is none", async (word, fields) => {
    const { row } = await over(word, fields);
    expect(row).toMatchObject({ phase: "watching", raw_status: word });
  });

  test("an end under a word that is not known is believed once Lyceum has nothing to abort past the timeout", async () => {
    const { scene, id } = await over("vanished", {}, 60);
    await tell(scene.context, id, cancel);
    scene.broken.set("abort", { type: "missing", detail: "Execution not found or already ended" });
    await scene.workFor(60 * SECOND);
    expect((await scene.row(id))?.phase).toBe("watching");
    await scene.workFor(5 * MINUTE);
    expect(await scene.row(id)).toMatchObject({
      phase: "collecting",
      status: "failed",
      raw_status: "vanished",
    });
    expect((await scene.row(id))?.error).toContain("vanished");
  });
});
