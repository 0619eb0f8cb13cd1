// One execution that has just ended, and a Lyceum whose documents are written by the test, by the seconds since its end.
import { createLyceumClient } from "../../src/lyceum/client.ts";
import type { Fetch } from "../../src/lyceum/http-exchange.ts";
import { createRateLimiter } from "../../src/lyceum/rate-limiter.ts";
import { listArtifacts, readDocument } from "../../src/store/artifacts.ts";
import type { ArtifactKind } from "../../src/store/db/schema.ts";
import { replaceMachineTypes } from "../../src/store/machine-types.ts";
import { createCollect } from "../../src/workers/collect/collect.ts";
import { createReconciler } from "../../src/workers/reconcile/reconcile.ts";
import type { Database } from "../support/databases.ts";
import { contextOf, live, submitted, tell } from "../support/scene.ts";

export const silence = Symbol("silence");

/** A JSON document, `silence`, a status with a document, or text. */
export type Said =
  | typeof silence
  | { status: number; json?: unknown; headers?: Record<string, string> }
  | { text: string }
  | object;
type Endpoint = ArtifactKind | "status" | "history";
export type Script = Record<Endpoint, (seconds: number) => Said>;

export async function sceneOf({ store, time, newId }: Database) {
  const context = contextOf({ store, newId });
  const { db } = store;
  await submitted(context, 1);
  const { execution, run } = await live(context);
  await tell(context, execution.id, { type: "callback" });
  const lyceumId = `lyceum-${execution.id}`;
  const endedAt = time.now();
  const seconds = () => (time.now() - endedAt) / 1_000;
  const iso = (at: number) => new Date(endedAt + at * 1_000).toISOString();

  const record: Record<string, unknown> = {
    execution_id: lyceumId,
    status: "completed",
    start_time: iso(-60),
    end_time: iso(0),
    finish_time: iso(0),
    stdout: "a\nb\n",
    stderr: "",
    return_code: 0,
    hardware_profile: "cpu",
    billed: 0.5,
  };

  const scene = {
    calls: [] as string[],
    /** Together with the seconds since the end. */
    asked: [] as [string, number][],
    query: {} as Record<string, string>,
    answer: Promise.resolve(),
    /** Awaited by the record alone. */
    recordAnswer: Promise.resolve(),
    isStopping: false,
    mayFetchEarly: false,
    record,
    script: {
      record: () => record,
      timing: () => ({ timing: { total: 60 } }),
      metrics: () => ({ systemCpuUsagePercent: [sample(-60), sample(-1)] }),
      logs: () => logOf("a", "b"),
      status: () => ({ status: "completed" }),
      history: () => ({ executions: [] }),
    } as Script,
  };
  const sample = (at: number, value = 50) => ({ timestamp: iso(at), value });
  const logOf = (...messages: string[]) => messages.map((message) => ({ timestamp: iso(-30), message }));

  const fetch: Fetch = async (url) => {
    const { pathname, searchParams } = new URL(url);
    const name = endpointOf(pathname);
    scene.calls.push(name);
    scene.asked.push([name, seconds()]);
    if (name === "metrics") scene.query = Object.fromEntries(searchParams);
    await (name === "record" ? scene.recordAnswer : scene.answer);
    const said = scene.script[name](seconds());
    if (said === silence) throw Object.assign(new Error("reset"), { code: "ECONNRESET" });
    const { status, json, text, headers } = toAnswer(said);
    return {
      status,
      headers: new Headers(headers),
      body: [Buffer.from(text ?? JSON.stringify(json))],
    };
  };

  const now = () => time.now();
  const lyceum = createLyceumClient({
    baseUrl: "https://lyceum.example",
    orgSlug: null,
    credentials: { apiKey: "lk_test" },
    rateLimiter: createRateLimiter({ clock: time, random: () => 0 }),
    clock: time,
    timers: time,
    fetch,
  });
  const options = {
    lyceum,
    now,
    takesOver: () => !scene.isStopping,
    mayFetchEarly: () => scene.mayFetchEarly,
    timers: time,
    onCapacity: () => {},
  };
  const worker = createCollect(context, options);
  const checker = createReconciler(context, { lyceum, now, collect: worker, onCapacity: () => {} });
  const row = () =>
    db.selectFrom("executions").selectAll().where("id", "=", execution.id).executeTakeFirstOrThrow();

  return Object.assign(scene, {
    time,
    lyceum,
    execution: { ...execution, lyceumExecutionId: lyceumId },
    worker,
    checker,
    sample,
    logOf,
    iso,
    price: (hardware: string, price: number | null) =>
      replaceMachineTypes(db, [
        { hardware_profile: hardware, price_per_hour: price, available: 1, fetched_at: 0 } as never,
      ]),
    callBack: () => tell(context, execution.id, { type: "callback" }),
    async check(): Promise<void> {
      await checker.runOnce();
      await checker.idle();
      await worker.idle();
    },
    async collect(): Promise<number | null> {
      await worker.runOnce();
      await worker.idle();
      return (await row()).due_at;
    },
    /** Learns of the end, and collects until nothing is pending. Answers how many seconds that took. */
    async toEnd(): Promise<number> {
      if ((await row()).phase === "watching") await this.check();
      for (let round = 0; round < 1_000; round++) {
        const { due_at, phase } = await row();
        if (phase === "closed") return seconds();
        time.pass(Math.max((due_at ?? 0) - time.now(), 0));
        await this.collect();
      }
      throw new Error("collecting does not end");
    },
    seconds,
    row,
    artifacts: async () =>
      (await listArtifacts(db, [execution.id])).map((one) => `${one.kind} ${one.state}`).sort(),
    artifact: async (wanted: ArtifactKind) => {
      const found = (await listArtifacts(db, [execution.id])).find((one) => one.kind === wanted);
      return { ...found, document: (await readDocument(db, execution.id, wanted)) as Json };
    },
    askedAt: (name: Endpoint) => scene.asked.filter(([asked]) => asked === name).map(([, at]) => at),
    /** From the end on. */
    async events(): Promise<string[]> {
      const told = await db.selectFrom("events").select("type").orderBy("seq").execute();
      const types = told.map(({ type }) => type);
      return types.slice(types.indexOf("execution.completed"));
    },
    run: () => db.selectFrom("runs").selectAll().where("id", "=", run.id).executeTakeFirst(),
    dueAt: async () => (await row()).due_at,
  });
}

type Json = ReturnType<typeof JSON.parse>;

function endpointOf(path: string): Endpoint {
  if (path.startsWith("/logs/")) return "logs";
  if (path === "/billing/history") return "history";
  if (path.endsWith("/status")) return "status";
  if (path.endsWith("/timing")) return "timing";
  return path.endsWith("/metrics") ? "metrics" : "record";
}

function toAnswer(said: object) {
  const {
    status = 200,
    json = said,
    text,
    headers,
  } = said as {
    status?: number;
    json?: unknown;
    text?: string;
    headers?: Record<string, string>;
  };
  return typeof status === "number"
    ? { status, json, text, headers }
    : { status: 200, json: said, text, headers };
}
