// Throughput and latency of callbacks, compared with the same server that ignores them and with the durable minimum.
import { statSync } from "node:fs";
import SqliteDatabase from "better-sqlite3";
import { loadOn } from "../load/cost.ts";
import { closedLoop, connectingLoop } from "../load/loop.ts";
import { alone, type Bench, type Figure, interleave, ratioOf, type Scenario } from "../measure.ts";
import type { Running } from "../service.ts";
import { type Stage, setStage } from "./callbacks.ts";

export const callback: Scenario = {
  name: "callback",
  includes:
    "Each request is the first callback of another live execution, in random order: token checked, raw body " +
    "appended to the inbox, one commit with synchronous=FULL before the 204; log and metrics as shipped. Lyceum does not " +
    "answer meanwhile, so the checks that follow are not part of it; the callbacks of one arm may be filed in the next. " +
    "The bare server is the same Hono with the same token check and an empty 204. The durable minimum is node:http with " +
    "token, body, headers and one row, synced in shared commits: what no service that keeps callbacks can beat. Processor " +
    "time is that of the server's process, all threads, per answer. Pages are those that the write-ahead log grows by, " +
    "the claims of the checks included, while a reader keeps SQLite from starting it anew.",
  async run(bench) {
    const figures = [];
    for (const load of [
      { connections: 50, at: "50 connections", goals: { bare: 0.65, minimum: 0.7 }, countsPages: true },
      { connections: 500, at: "500 connections", goals: { bare: 0.8, minimum: 0.85 } },
      { connections: 50, at: "50 at once, a connection each", loop: connectingLoop, goals: null },
    ])
      figures.push(...(await underLoad(bench, load)));
    return figures;
  },
};

const WARM_UPS = 2;
const LEAST_LIVE = 10_000;

interface CallbackLoad {
  connections: number;
  at: string;
  loop?: typeof closedLoop;
  goals: { bare: number; minimum: number } | null;
  countsPages?: boolean;
}

async function underLoad(
  bench: Bench,
  { connections, at, loop, goals, countsPages = false }: CallbackLoad,
): Promise<Figure[]> {
  const most = bench.size(60_000, 300);
  const forPages = bench.size(5_000, 200);
  const live = most * (bench.rounds + WARM_UPS) + forPages + bench.size(LEAST_LIVE, 0);
  const stage = await setStage(bench, `callback, ${at}`, live);
  const { seconds } = bench;
  const load = (server: Running, next: () => Buffer | null) =>
    loadOn(server, { connections, seconds, next }, loop);
  try {
    const pages = countsPages ? [await pagesOf(bench, stage, forPages)] : [];
    const rounds = await interleave(
      bench,
      `callback, ${at}`,
      {
        ours: () => load(stage.ours, stage.fresh(most)),
        bare: () => load(stage.bare, stage.any()),
        durable: () => load(stage.durable, stage.any()),
      },
      WARM_UPS,
    );
    const besideBare = { ours: rounds.ours, theirs: rounds.bare };
    const besideMinimum = { ours: rounds.ours, theirs: rounds.durable };
    const speed = { name: `callbacks, ${at}`, unit: "req/s" };
    const bare = { against: "bare server" };
    const minimum = { against: "durable minimum" };
    const cost = { name: `processor time of a callback, ${at}`, unit: "µs", goal: null };
    return [
      ratioOf(besideBare, "perSecond", { ...speed, ...bare, goal: goals && { atLeast: goals.bare } }),
      ratioOf(besideMinimum, "perSecond", {
        ...speed,
        ...minimum,
        goal: goals && { atLeast: goals.minimum },
      }),
      ratioOf({ ours: rounds.durable, theirs: rounds.bare }, "perSecond", {
        ...{ name: `durable minimum, ${at}`, unit: "req/s", ...bare, goal: null },
      }),
      ratioOf(besideBare, "p99", {
        ...{ name: `callback p99, ${at}`, unit: "ms", ...bare, goal: goals && { atMost: 2 } },
      }),
      ratioOf(besideBare, "processorUs", { ...cost, ...bare }),
      ratioOf(besideMinimum, "processorUs", { ...cost, ...minimum }),
      ...pages,
    ];
  } finally {
    await stage.stop();
  }
}

async function pagesOf(bench: Bench, stage: Stage, most: number): Promise<Figure> {
  bench.progress("pages written per callback");
  const reader = new SqliteDatabase(stage.database, { readonly: true });
  const pageBytes = Number(reader.pragma("page_size", { simple: true })) + FRAME_HEADER_BYTES;
  reader.exec("begin");
  reader.prepare("select count(*) from counters").get();
  const size = () => statSync(`${stage.database}-wal`).size;
  const before = size();
  const next = stage.fresh(most);
  const { answers } = await closedLoop({ port: stage.ours.port, connections: 50, seconds: 600, next });
  const pages = (size() - before) / pageBytes;
  reader.close();
  return alone([pages / answers], {
    name: "pages written per callback, 50 connections",
    unit: "",
    goal: { atMost: 0.15 },
  });
}

const FRAME_HEADER_BYTES = 24;
