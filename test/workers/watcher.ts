// The check worker over a Lyceum of a few maps: what it says of each execution, where it says it, and how it is broken.

import type { ListedRow } from "../../src/lyceum/answer.ts";
import type { LyceumClient } from "../../src/lyceum/client.ts";
import type { ReadOutcome } from "../../src/lyceum/outcome.ts";
import { answers } from "../../src/lyceum/schema.ts";
import type { Context } from "../../src/orchestration/context.ts";
import { changeOf } from "../../src/workers/collect/artifact-verdict.ts";
import { untried } from "../../src/workers/collect/fetchers.ts";
import type { RecordCollect } from "../../src/workers/reconcile/read-record.ts";
import { createReconciler } from "../../src/workers/reconcile/reconcile.ts";
import type { Database } from "../support/databases.ts";
import { contextOf, live, spec, submitted } from "../support/scene.ts";

const LONG = { ...spec, timeout: 600 };

export interface SceneOptions {
  /** Seconds. */
  timeout?: number;
  batch?: number;
  /** Further runs that wait for their start. */
  waiting?: number;
  /** Callbacks of other runs were seen to arrive. */
  areCallbacksSeen?: boolean;
}

export type Scene = Awaited<ReturnType<typeof sceneOf>>;

/** So many live executions that the list shows, and a worker that watches them. */
export async function sceneOf(database: Database, executions: number, options: SceneOptions = {}) {
  const { timeout = LONG.timeout, batch, waiting = 0 } = options;
  const context = contextOf(database);
  if (options.areCallbacksSeen === true) seeCallbacks(context, database);
  const length = executions + waiting;
  const runs = Array.from({ length }, () => ({ spec: { ...LONG, timeout }, matrix: null }));
  await submitted(context, length, { runs });
  const scene = watcher(context, database, batch);
  const ids: string[] = [];
  for (let made = 0; made < executions; made++) ids.push((await live(context)).execution.id);
  for (const id of ids) scene.words.set(id, "pending");
  const rows = () => database.store.db.selectFrom("executions").selectAll().orderBy("id").execute();
  const bornAt = database.time.now();
  return Object.assign(scene, {
    ids,
    rows,
    row: async (id: string) => (await rows()).find((row) => row.id === id),
    run: () => database.store.db.selectFrom("runs").selectAll().executeTakeFirstOrThrow(),
    /** Returns the time until the executions reach this age. */
    dueAt: (age: number) => bornAt + age - database.time.now(),
  });
}

export function seeCallbacks({ health }: Context, { time }: Pick<Database, "time">): void {
  for (let seen = 0; seen < 20; seen++) health.ended(`other-${seen}`, "callback", 10, time.now());
}

type Json = Record<string, unknown>;

export function watcher(context: Context, { time }: Database, batch = 500) {
  const scene = {
    context,
    time,
    calls: [] as string[],
    /** Lyceum's words by our ids. Lyceum's id is `lyceum-` and our id, unless `idOf` has another id. */
    words: new Map<string, string>(),
    idOf: new Map<string, string>(),
    /** Words that the list shows although the record says something else. */
    staleWords: new Map<string, string>(),
    /** More of the record, by our ids. */
    fields: new Map<string, Json>(),
    /** Rows of the history, the newest first. */
    history: [] as Json[],
    historyAnswer: (rows: Json[], { limit, offset }: { limit: number; offset: number }): unknown => ({
      executions: rows.slice(offset, offset + limit),
      total_executions: rows.length,
    }),
    isSilent: false,
    /** In place of the answer, by the first word of the call. */
    broken: new Map<string, Exclude<ReadOutcome<never>, { type: "ok" }>>(),
    areRecordsTooLarge: false,
    awayMs: 0,
    deferredMs: 0,
    isCrowded: false,
    isReader: true,
    onList: async () => {},
    onRecord: async () => {},
    /** Does all that is due; answers when to come back. */
    async work(): Promise<number> {
      for (;;) {
        const { length } = scene.calls;
        const next = (await worker.runOnce()) ?? Number.POSITIVE_INFINITY;
        await worker.idle();
        if (scene.calls.length === length) return next;
      }
    },
    /** Works for so long, each time that something is due. */
    async workFor(ms: number): Promise<void> {
      const endAt = time.now() + ms;
      for (let next = await scene.work(); time.now() < endAt; next = await scene.work())
        time.pass(Math.min(Math.max(next - time.now(), 1_000), endAt - time.now()));
    },
    count: (call: string) => scene.calls.filter((one) => one.startsWith(call)).length,
  };
  const lyceumId = (id: string) => scene.idOf.get(id) ?? `lyceum-${id}`;
  const call = async <T>(name: string, value: T | undefined): Promise<ReadOutcome<T>> => {
    scene.calls.push(name);
    if (scene.isSilent) return { type: "unreachable", detail: "silent" };
    const broken = scene.broken.get(name.split(" ")[0] ?? "");
    if (broken !== undefined) return broken;
    return value === undefined ? { type: "missing", detail: "unknown" } : { type: "ok", value };
  };
  const isEnd = (word: string) => ["completed", "failed", "aborted"].includes(word);
  const ourId = (id: string) => [...scene.words.keys()].find((one) => lyceumId(one) === id) ?? "";
  const recordOf = (id: string) => {
    const marker = ourId(id);
    const status = scene.words.get(marker);
    const row = { execution_id: id, file_name: marker, status, ...scene.fields.get(marker) };
    return status === undefined ? undefined : answers.record.parse(row);
  };
  const list = (): ListedRow[] =>
    answers.workloads.parse(
      [...scene.words]
        .map(([id, word]) => [id, scene.staleWords.get(id) ?? word] as const)
        .filter(([, word]) => !isEnd(word))
        .map(([id, status]) => ({ execution_id: lyceumId(id), file_name: id, status })),
    );
  const lyceum = {
    async workloads() {
      const rows = list();
      await scene.onList();
      return call("list", rows);
    },
    async record(id: string, marker: string | null) {
      await scene.onRecord();
      const record = recordOf(id);
      const answer = await call(`record ${id}`, record);
      if (answer.type === "ok" && marker !== null && record?.fileName !== marker)
        return { type: "unreadable", detail: "somebody else's", isTooLarge: false, isForeign: true };
      return scene.areRecordsTooLarge
        ? { type: "unreadable", detail: "too large", isTooLarge: true }
        : answer;
    },
    streamingStatus: (id: string) => {
      const word = recordOf(id)?.word;
      return call(`status ${id}`, word === undefined ? undefined : { word, errors: null });
    },
    history: (page: { limit: number; offset: number }) =>
      call(`history ${page.offset}`, answers.history.parse(scene.historyAnswer(scene.history, page))),
    abort: (id: string) => {
      const word = scene.words.get(ourId(id));
      const isLive = word !== undefined && !isEnd(word);
      return call(`abort ${id}`, isLive ? { word: null, message: null } : undefined);
    },
  } as unknown as LyceumClient;
  const worker = createReconciler(context, {
    lyceum,
    now: () => time.now(),
    collect: collectsLater,
    reader: { isHeld: async () => scene.isReader },
    onCapacity: () => {},
    awayMs: () => scene.awayMs,
    deferredMs: () => scene.deferredMs,
    isCrowded: () => scene.isCrowded,
    batch,
  });
  return Object.assign(scene, { worker });
}

/** Leaves collecting to a round of its own. */
export const collectsLater: RecordCollect = {
  fetchEarly: () => null,
  recordChange: (record, askedAt) => {
    const fetched = { type: "got", ...record, againInMs: null } as const;
    return changeOf({ artifact: untried("record"), askedAt, fetched }, askedAt, askedAt);
  },
  leaseFrom: () => null,
  handOver: () => {},
};
