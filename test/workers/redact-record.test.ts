// A secret of a run that Lyceum quotes is hidden, whichever way the record is read.
import { expect, test } from "vitest";
import type { LyceumClient } from "../../src/lyceum/client.ts";
import { answers } from "../../src/lyceum/schema.ts";
import { unpackDocument } from "../../src/store/db/documents.ts";
import { loadDue } from "../../src/store/execution-claims.ts";
import { createCollect } from "../../src/workers/collect/collect.ts";
import { createKnownIds } from "../../src/workers/reconcile/known-ids.ts";
import { createRecordReader } from "../../src/workers/reconcile/read-record.ts";
import { createFactRecorder } from "../../src/workers/reconcile/record-fact.ts";
import { eachDatabase } from "../support/databases.ts";
import { contextOf, live, submitted, tell } from "../support/scene.ts";

const url = "https://proctor.example/callbacks/lyceum/exe_1/t0ken-of-the-callback";
const quoting = `docker login -p canary-password failed (SEED=canary-seed); callback to ${url} failed: 502`;

eachDatabase("secrets that a record quotes", (open) => {
  test.each([true, false])(
    "secrets that a record quotes are not kept; the record tells of its results: %j",
    async (isComplete) => {
      const database = await open();
      const { db } = database.store;
      const context = contextOf(database);
      const spec = {
        kind: "image" as const,
        docker_image_ref: "x",
        docker_run_cmd: [],
        docker_password: "canary-password",
        env: { SEED: "canary-seed" },
        execution_type: "cpu",
        enable_s3_mount: false,
        timeout: 60,
      };
      await submitted(context, 1, { runs: [{ spec, matrix: null }] });
      const { execution } = await live(context);
      await tell(context, execution.id, { type: "callback" });
      const record = answers.record.parse({
        execution_id: "l-1",
        status: "failed",
        errors: quoting,
        warnings: quoting,
        status_details: quoting,
        ...(isComplete ? { stdout: "it printed canary-seed", finish_time: "2026-09-01T08:00:05Z" } : {}),
      });
      const nothing = async () => ({ type: "missing" as const, detail: "none" });
      const lyceum = {
        record: async () => ({ type: "ok", value: record }),
        timing: nothing,
        metrics: nothing,
        logs: nothing,
      } as unknown as LyceumClient;
      const now = () => database.time.now();
      const collect = createCollect(context, { lyceum, now, takesOver: () => true, onCapacity: () => {} });
      const recorder = createFactRecorder(context, now);
      const readRecord = createRecordReader(context, {
        lyceum,
        now,
        recorder,
        collect,
        knownIds: createKnownIds(),
      });
      for (const due of await loadDue(db, [execution.id])) await readRecord(due, { by: "callback" });
      await collect.idle();
      for (let round = 0; round < 9; round++) {
        database.time.pass(60_000);
        await collect.runOnce();
        await collect.idle();
      }
      const tables = ["runs", "executions", "events"] as const;
      const rows = await Promise.all(tables.map((table) => db.selectFrom(table).selectAll().execute()));
      const documents = await db
        .selectFrom("artifacts")
        .select("document")
        .where("kind", "=", "record")
        .execute();
      const kept = documents.map(({ document }) => unpackDocument(document as Buffer) as { stdout: string });
      expect(JSON.stringify(rows)).toContain("docker login -p [hidden] failed");
      expect(kept[0]?.stdout).toBe(isComplete ? "it printed canary-seed" : "");
      const shown = JSON.stringify([rows, { ...kept[0], stdout: "" }]);
      for (const secret of ["canary-password", "canary-seed", "t0ken"]) expect(shown).not.toContain(secret);
    },
  );
});
