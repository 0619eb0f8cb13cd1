// One run in each state, with its job and all of its rows, as the service's own code writes them.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import SqliteDatabase from "better-sqlite3";
import { claimRuns } from "../src/orchestration/claim-runs.ts";
import { fileCallbacks } from "../src/orchestration/file-callbacks.ts";
import { receiveCallback } from "../src/orchestration/receive-callback.ts";
import { readInbox } from "../src/store/inbox.ts";
import { openContext, submitter } from "./context.ts";
import { accept, end } from "./peers/life.ts";

/** queued: not started. live: at Lyceum, not due for an hour. due: at Lyceum, check due. ended: succeeded. */
export type RowState = "queued" | "live" | "due" | "ended";

export type TemplateRow = Record<string, unknown>;
export type Template = Record<
  "jobs" | "specs" | "runs" | "executions" | "artifacts" | "callbacks" | "events",
  TemplateRow[]
>;

/** @param agoMs how long ago all of it happened */
export async function templateOf(state: RowState, agoMs: number): Promise<Template> {
  const folder = mkdtempSync(join(tmpdir(), "proctor-bench-template-"));
  const path = join(folder, "template.db");
  try {
    await makeRun(path, state);
    return readRows(path, state, agoMs);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function makeRun(path: string, state: RowState): Promise<void> {
  const context = await openContext(path);
  await submitter(context)([{}]);
  if (state !== "queued") {
    const [claim] = (await claimRuns(context, 1)).claims;
    const executionId = claim?.execution.id ?? "";
    await accept(context, executionId);
    if (state === "ended") {
      const body = Buffer.from(JSON.stringify({ execution_id: executionId, status: "completed" }));
      await receiveCallback(context, {
        executionId,
        contentType: "application/json",
        body,
        truncated: false,
      });
      const seqs = (await readInbox(context.store.db, 1)).map(({ seq }) => seq);
      await context.store.write((tx) => fileCallbacks(context, tx, seqs, { checkAt: tx.now }));
      await end(context, executionId, "together");
    }
  }
  await context.store.close();
}

function readRows(path: string, state: RowState, agoMs: number): Template {
  const database = new SqliteDatabase(path, { readonly: true });
  const rows = (table: string) => {
    const found = database.prepare<[], TemplateRow>(`select * from ${table}`).all();
    return found.map((row) =>
      Object.fromEntries(Object.entries(row).map(([name, value]) => [name, past(name, value)])),
    );
  };
  const past = (name: string, value: unknown) =>
    name.endsWith("_at") && typeof value === "number" ? value - agoMs : value;
  const dueAt = state === "due" ? Date.now() - 1_000 : Date.now() + 3_600_000;
  const template: Template = {
    // The copies need keys of their own, or none.
    jobs: rows("jobs").map((row) => ({ ...row, idempotency_key: null, body_hash: null })),
    specs: rows("specs"),
    runs: rows("runs"),
    executions: rows("executions").map((row) => ({
      ...row,
      // Long enough ago to count against no limit on starts.
      submitted_at: Number(row.submitted_at) - 25 * 3_600_000,
      ...(row.due_at === null ? {} : { due_at: dueAt }),
    })),
    artifacts: rows("artifacts"),
    callbacks: rows("callbacks"),
    events: rows("events"),
  };
  database.close();
  return template;
}
