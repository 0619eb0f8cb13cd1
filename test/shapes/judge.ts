// Judges the end of a life: every run was started once and met the fate that the emulator gave it. Nothing is
// pending, and every stored artifact can be read and is the run's own.
import SqliteDatabase from "better-sqlite3";
import type { Emulator } from "../../src/emulator/server.ts";
import type { Json } from "../http/client.ts";
import type { Caller } from "./caller.ts";
import type { Layer } from "./layer.ts";
import { nameOf, type Story } from "./story.ts";

interface Evidence {
  story: Story;
  caller: Caller;
  emulator: Emulator;
  /** Path of the service's database. */
  database: string;
  layer: Layer;
  fail(nth: number | null, what: string): void;
}

/** Status at Lyceum to status of the run. */
const fates: Record<string, string> = { completed: "succeeded", failed: "failed", aborted: "cancelled" };

export async function judge({ story, caller, emulator, database, layer, fail }: Evidence): Promise<void> {
  const executions = emulator.executions().filter(({ parentId }) => parentId === null);
  const taken = Map.groupBy(executions, ({ fileName }) => runIn(fileName ?? ""));
  const runs = new Map((await caller.runs()).map((run) => [run.name, run]));
  for (const [nth, { cancelAfterMs }] of story.subjects.entries()) {
    const run = runs.get(nameOf(nth));
    const statuses = (taken.get(nameOf(nth)) ?? []).map(({ status }) => status);
    const isInDoubt = layer
      .sent(nameOf(nth))
      .some(({ endpoint, mutation }) => endpoint === "start" && mutation.leavesDoubt === true);
    const wrong = wrongIn(run, statuses, { isWanted: cancelAfterMs === null, isInDoubt });
    const error = run.error === null ? "" : ` (${run.error.code}: ${run.error.detail})`;
    if (wrong !== null) fail(nth, wrong + error);
    for (const what of await wrongInArtifacts(caller, run, nth)) fail(nth, what);
  }
  for (const { kind, name } of pendingIn(database)) fail(nthIn(name), `its ${kind} is still pending`);
}

function wrongIn(
  run: Json,
  statuses: readonly string[],
  { isWanted, isInDoubt }: { isWanted: boolean; isInDoubt: boolean },
): string | null {
  const [status] = statuses;
  if (run.ended_at === null) return `stuck as ${run.status}`;
  if (statuses.length > 1) return `started ${statuses.length} times`;
  if (status === undefined) {
    const isFair = isWanted ? isInDoubt && run.error?.code === "lost" : run.status === "cancelled";
    return isFair ? null : "never started";
  }
  if (isWanted && status === "aborted") return "aborted by the service while wanted";
  return run.status === fates[status] ? null : `${run.status} instead of ${status}`;
}

async function wrongInArtifacts(caller: Caller, run: Json, nth: number): Promise<string[]> {
  const wrong: string[] = [];
  for (const kind of ["output", "timing", "metrics", "logs"]) {
    const { status, text } = await caller.read(`/v1/runs/${run.id}/${kind}`);
    if (status >= 500) wrong.push(`its ${kind} is answered ${status}: ${text.slice(0, 200)}`);
    if (kind !== "output") continue;
    const [, whose] = /pretended to run image (shape-\d+)/.exec(text) ?? [];
    if (whose !== undefined && whose !== nameOf(nth))
      wrong.push(`the output of ${whose} was taken for its own`);
  }
  return wrong;
}

/** True when every job has ended and no artifact is pending. */
export function isAtRest(database: string): boolean {
  return inDatabase(database, (reader) => {
    const open = reader.prepare("select count(*) from jobs where ended_at is null").pluck().get();
    return open === 0 && pendingIn(database).length === 0;
  });
}

function pendingIn(database: string): { kind: string; name: string }[] {
  return inDatabase(database, (reader) =>
    reader
      .prepare<[], { kind: string; name: string }>(
        `select artifacts.kind, runs.name from artifacts
         join executions on executions.id = artifacts.execution_id
         join runs on runs.id = executions.run_id where artifacts.state = 'pending'`,
      )
      .all(),
  );
}

function inDatabase<T>(path: string, read: (reader: SqliteDatabase.Database) => T): T {
  const reader = new SqliteDatabase(path, { readonly: true });
  try {
    return read(reader);
  } finally {
    reader.close();
  }
}

const nthIn = (name: string) => Number(name.slice(nameOf(0).length - 1));

/** The name of the run behind the marker. */
function runIn(fileName: string): string {
  return /^exe_[0-9a-z]{26}-(.+)$/.exec(fileName)?.[1] ?? "";
}
