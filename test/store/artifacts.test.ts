// Artifacts: documents come back as they went in, whatever their size, and each has its state.
import { expect, test } from "vitest";
import { listArtifacts, nextFetchAts, readDocument, saveArtifacts } from "../../src/store/artifacts.ts";
import { artifactKinds } from "../../src/store/db/schema.ts";
import { readPauses, savePause } from "../../src/store/rate-limit-pauses.ts";
import { type Database, eachDatabase } from "../support/databases.ts";
import { claimed, contextOf, spec, submitted } from "../support/scene.ts";

const fetched = { state: "stored", dueAt: null, tries: 1 } as const;

eachDatabase("artifacts", (open) => {
  const documents: Record<string, unknown> = {
    "an empty text": "",
    "an empty object": {},
    "an empty list": [],
    nothing: null,
    "a small document": { stdout: "2\n" },
    "unicode, and what is none": { text: "Grüße 你好 🚀 \u0000 \ud800", "🔑": [1.5, -0.25, 1e300] },
    "5 MB that hardly compress": noise(5_000_000),
    "5 MB that compress well": Array.from({ length: 100_000 }, (_, index) => ({
      timestamp: index,
      line: "epoch",
    })),
  };

  test.each(Object.entries(documents))("artifacts keep %s as it was", async (_name, document) => {
    const database = await open();
    const id = await execution(database);
    await saveArtifacts(database.store.db, [{ executionId: id, kind: "logs", ...fetched, document }]);
    expect(await readDocument(database.store.db, id, "logs")).toEqual(document);
  });

  test("artifacts compress documents above a minimum size", async () => {
    const database = await open();
    const { db } = database.store;
    const id = await execution(database);
    await saveArtifacts(db, [{ executionId: id, kind: "logs", ...fetched, document: "x".repeat(1_000_000) }]);
    const row = await db
      .selectFrom("artifacts")
      .select("document")
      .where("kind", "=", "logs")
      .executeTakeFirst();
    expect(row?.document?.length).toBeLessThan(10_000);
  });

  test("artifacts are pending until they are stored or given up, and change only in what is said", async () => {
    const database = await open();
    const { db } = database.store;
    const id = await execution(database);
    await saveArtifacts(db, [
      {
        executionId: id,
        kind: "timing",
        state: "pending",
        dueAt: 9,
        tries: 2,
        firstTriedAt: 5,
        summary: { reads: 1 },
        document: [1],
      },
    ]);
    expect(await nextFetchAts(db, [id], 7)).toEqual(new Map([[id, 7]]));
    const gone = { state: "unavailable", dueAt: null, tries: 4, reason: "Lyceum has none" } as const;
    const others = (["metrics", "logs", "record"] as const).map((kind) => ({ kind, ...gone }));
    await saveArtifacts(
      db,
      others.map((one) => ({ executionId: id, ...one })),
    );
    expect(await nextFetchAts(db, [id], 7)).toEqual(new Map([[id, 9]]));
    await saveArtifacts(db, [{ executionId: id, kind: "timing", ...fetched, tries: 3, fetchedAt: 11 }]);
    expect(await nextFetchAts(db, [id], 7)).toEqual(new Map());
    await saveArtifacts(db, [{ executionId: id, kind: "timing", ...gone }]);
    const states = new Map((await listArtifacts(db, [id])).map((artifact) => [artifact.kind, artifact]));
    expect(new Set(states.keys())).toEqual(new Set(artifactKinds));
    expect(states.get("timing")).toMatchObject({ state: "stored", due_at: null, tries: 3, fetched_at: 11 });
    expect(states.get("timing")?.summary).toEqual({ reads: 1 });
    expect(states.get("metrics")).toMatchObject({ state: "unavailable", reason: "Lyceum has none" });
    expect(await readDocument(db, id, "timing")).toEqual([1]);
    expect(await readDocument(db, id, "record")).toBeNull();
    expect(await readDocument(db, "exe_none", "record")).toBeNull();
    expect(await listArtifacts(db, [])).toEqual([]);
  });
});

eachDatabase("what else is kept", (open) => {
  test("a run's specification, large or small, comes back as it was", async () => {
    const database = await open();
    const context = contextOf(database);
    const large = { ...spec, code: noise(1_000_000), files: { "a/ü.py": "X = 1\n" } };
    const runs = [spec, large].map((spec) => ({ spec, matrix: null }));
    await submitted(context, 0, { runs });
    expect((await claimed(context)).spec).toEqual(spec);
    expect((await claimed(context)).spec).toEqual(large);
  });

  test("pauses are known until they are over, the longest of a bucket counts", async () => {
    const { store } = await open();
    await savePause(store.db, { bucket: "execution", until: 10 }, 1);
    await savePause(store.db, { bucket: "execution", until: 20 }, 2);
    await savePause(store.db, { bucket: "billing", until: 15 }, 2);
    expect(await readPauses(store.db, 15)).toEqual([{ bucket: "execution", until: 20, since: 2 }]);
    expect(await readPauses(store.db, 20)).toEqual([]);
  });

  test("a pause lasts no longer after the clock was set back than it was to last", async () => {
    const { store } = await open();
    await savePause(store.db, { bucket: "read", until: 5_000 }, 4_000);
    expect(await readPauses(store.db, 100)).toEqual([{ bucket: "read", until: 1_100, since: 4_000 }]);
  });

  test("a pause is not cut short by the shorter one that another instance was asked for", async () => {
    const { store } = await open();
    await savePause(store.db, { bucket: "read", until: 3_000 }, 100);
    await savePause(store.db, { bucket: "read", until: 1_200 }, 200);
    expect(await readPauses(store.db, 300)).toEqual([{ bucket: "read", until: 3_000, since: 100 }]);
  });

  test("a pause from before the clock was set back gives way to a shorter one", async () => {
    const { store } = await open();
    await savePause(store.db, { bucket: "read", until: 90_000 }, 80_000);
    await savePause(store.db, { bucket: "read", until: 1_200 }, 200);
    expect(await readPauses(store.db, 300)).toEqual([{ bucket: "read", until: 1_200, since: 200 }]);
  });
});

async function execution(database: Database): Promise<string> {
  const context = contextOf(database);
  await submitted(context, 1);
  return (await claimed(context)).execution.id;
}

/** Text without patterns, the same in each run. */
function noise(characters: number): string {
  let state = 1;
  const text = Buffer.alloc(characters);
  for (let at = 0; at < characters; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    text[at] = 33 + ((state >>> 16) % 94);
  }
  return text.toString("latin1");
}
