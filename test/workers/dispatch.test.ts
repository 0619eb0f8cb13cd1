// Dispatch: every outcome of a start is recorded, and in an outage hardly any start leaves.
import { describe, expect, test } from "vitest";
import { DatabaseUnavailable } from "../../src/lib/database-error.ts";
import type { LyceumClient } from "../../src/lyceum/client.ts";
import type { ReadOutcome, StartOutcome } from "../../src/lyceum/outcome.ts";
import { createRateLimiter } from "../../src/lyceum/rate-limiter.ts";
import type { FactFor } from "../../src/orchestration/apply-facts.ts";
import { type PlaceLimits, settlePlaces, takePlaces } from "../../src/store/places.ts";
import { createDispatch } from "../../src/workers/dispatch.ts";
import { createStartGate } from "../../src/workers/start-gate.ts";
import { type Database, eachDatabase, onSqlite } from "../support/databases.ts";
import { contextOf, submitted } from "../support/scene.ts";

const SECOND = 1_000;
const nobody: StartOutcome = { type: "unreachable", detail: "ECONNREFUSED" };
const unknown: StartOutcome = { type: "unknown", detail: "502" };
const unfunded: StartOutcome = { type: "unfunded", detail: "Insufficient credits" };
const stale: StartOutcome = { type: "stale", detail: "not sent" };
const away: ReadOutcome<never> = { type: "unreachable", detail: "502" };

eachDatabase("dispatch", (open) => {
  test.each<[StartOutcome, object]>([
    [
      { type: "throttled", retryAfterMs: 1_000 },
      { status: "queued", attempt: 0 },
    ],
    [
      { type: "refused", status: 422, detail: "no such GPU" },
      { status: "failed", error_code: "rejected" },
    ],
    [
      { type: "accepted", lyceumExecutionId: "l-1", word: "pending" },
      { status: "active", attempt: 1 },
    ],
  ])("records %j although the database was away when it came", async (outcome, run) => {
    const scene = sceneOf(await open(), () => {
      scene.isAway = true;
      return outcome;
    });
    await submitted(scene.context, 1);
    await scene.round();
    expect(await scene.runs()).toMatchObject([{ status: "active" }]);
    for (let n = 0; n < 400; n++) {
      scene.time.pass(SECOND);
      await scene.round();
    }
    scene.isAway = false;
    scene.answer = () => ({ type: "throttled", retryAfterMs: 60_000 });
    scene.time.pass(SECOND);
    await scene.round();
    expect(await scene.runs()).toMatchObject([run]);
  });

  test("dispatch starts a run whose claim was written although the answer to it was lost", async () => {
    const scene = sceneOf(await open(), accepting());
    await submitted(scene.context, 1);
    scene.onClaim = () => {
      scene.onClaim = () => {};
      throw new DatabaseUnavailable("away", "the connection is lost");
    };
    await scene.forSeconds(10);
    expect(scene.starts).toBe(1);
    expect(await scene.runs()).toMatchObject([{ status: "active", attempt: 1 }]);
    expect(await scene.phases()).toContain("watching");
  });

  test("dispatch claims nothing while other instances may count this one as dead", async () => {
    const scene = sceneOf(await open(), accepting());
    await submitted(scene.context, 1);
    scene.isHeldAlive = false;
    scene.onClaim = () => {
      throw new Error("claimed");
    };
    expect(await scene.round()).toBe(scene.time.now() + SECOND);
    expect(await scene.runs()).toMatchObject([{ status: "queued", version: 0 }]);
  });

  test("a claimed start does not leave once other instances may count this one as dead, and uses no attempt", async () => {
    const scene = sceneOf(await open(), accepting());
    await submitted(scene.context, 1);
    scene.onClaim = () => {
      scene.isHeldAlive = false;
    };
    await scene.round();
    scene.onClaim = () => {};
    expect(scene.starts).toBe(0);
    expect(await scene.runs()).toMatchObject([{ status: "queued", attempt: 0 }]);
    scene.isHeldAlive = true;
    await scene.forSeconds(2);
    expect(scene.starts).toBe(1);
    expect(await scene.runs()).toMatchObject([{ status: "active", attempt: 1 }]);
  });

  test("while the shared places are taken, dispatch looks at them once a second, however many jobs come", async () => {
    const sharedLimits = { limit: null, concurrency: 1 };
    const scene = sceneOf(await open(), accepting(), { concurrency: 4, sharedLimits });
    await takePlaces(scene.store.db, "execution", ["exe_elsewhere"], scene.time.now());
    const looks = scene.writes;
    for (let jobs = 0; jobs < 40; jobs++) {
      await submitted(scene.context, 1);
      await scene.round();
      scene.time.pass(SECOND / 20);
    }
    expect(scene.writes - looks).toBe(2);
    await settlePlaces(scene.store.db, ["exe_elsewhere"], null);
    await scene.forSeconds(2);
    expect(scene.starts).toBeGreaterThan(0);
  });

  test("dispatch goes on while the database refuses one outcome, and records that as soon as it may", async () => {
    const scene = sceneOf(await open(), accepting());
    await submitted(scene.context, 4);
    scene.refuses = ({ lyceumExecutionId }) => lyceumExecutionId === "l-2";
    for (let n = 0; n < 4; n++) await scene.round();
    expect((await scene.phases()).toSorted()).toEqual(["submitting", "watching", "watching", "watching"]);
    scene.refuses = () => false;
    scene.time.pass(120 * SECOND);
    await scene.round();
    expect(await scene.phases()).toEqual(["watching", "watching", "watching", "watching"]);
  });

  test("dispatch gives up an outcome that the database never accepts, and reports it", async () => {
    const scene = sceneOf(await open(), accepting());
    await submitted(scene.context, 1);
    scene.refuses = () => true;
    const tries: number[] = [];
    for (let n = 0; n < 1_000; n++) {
      const next = await scene.round();
      if (tries.at(-1) !== scene.faults.length) tries.push(scene.faults.length);
      if (next === null) break;
      scene.time.pass(SECOND);
    }
    expect(scene.faults.at(-1)).toMatch(/the outcome of exe_\w+ cannot be written/);
    expect(tries).toHaveLength(11);
    expect(scene.time.monotonic()).toBeGreaterThan(scene.context.rules.submitPatienceMs);
    expect(await scene.phases()).toEqual(["submitting"]);
  });
});

onSqlite("dispatch in an outage", (open) => {
  test("dispatch in an outage sends no more than the starts that were under way, and then none while reads fail", async () => {
    const scene = sceneOf(await open(), () => unknown, { concurrency: 4 });
    await submitted(scene.context, 60);
    scene.list = away;
    scene.history = away;
    await scene.forSeconds(3_600);
    expect(scene.starts).toBe(4);
    expect(scene.reads).toBeGreaterThan(15);
    expect(scene.reads).toBeLessThan(30);
  });

  test("dispatch in an outage sends one probe at a time at growing distance while reads are answered, and all once it is over", async () => {
    const scene = sceneOf(await open(), () => unknown, { concurrency: 4 });
    await submitted(scene.context, 60);
    await scene.forSeconds(600);
    expect(scene.starts).toBeGreaterThanOrEqual(4 + 8);
    expect(scene.starts).toBeLessThanOrEqual(4 + 11);
    scene.answer = accepting();
    await scene.forSeconds(301);
    expect(await scene.runs("queued")).toEqual([]);
  });

  test("dispatch in an outage reads the history where the list cannot be read", async () => {
    const scene = sceneOf(await open(), () => unknown);
    await submitted(scene.context, 3);
    scene.list = { type: "unreadable", detail: "JSON without what is due", isTooLarge: false };
    await scene.round();
    scene.answer = accepting();
    await scene.forSeconds(2);
    expect(await scene.runs("queued")).toEqual([]);
  });

  test("a used-up limit on the history does not pause starts until that limit resets", async () => {
    const scene = sceneOf(await open(), () => unknown);
    await submitted(scene.context, 3);
    const readable = scene.list;
    scene.list = away;
    scene.history = { type: "throttled", retryAfterMs: 3_600 * SECOND };
    await scene.forSeconds(5);
    expect(scene.reads).toBeGreaterThan(0);
    scene.list = readable;
    scene.answer = accepting();
    await scene.forSeconds(30);
    expect(await scene.runs("queued")).toEqual([]);
  });

  test.each<StartOutcome>([nobody, unfunded, { type: "unauthorized", detail: "401" }])(
    "uses no attempt of any run while starts end as $outcome",
    async (outcome) => {
      const scene = sceneOf(await open(), () => outcome, { concurrency: 4 });
      await submitted(scene.context, 20);
      await scene.forSeconds(120);
      expect(await scene.runs("queued")).toHaveLength(20);
      expect((await scene.runs()).filter(({ attempt }) => attempt > 0)).toEqual([]);
      scene.answer = accepting();
      await scene.forSeconds(301);
      expect(await scene.runs("queued")).toEqual([]);
    },
  );

  test("dispatch in an outage puts a start that is answered 503 in doubt as one that was not taken", async () => {
    const scene = sceneOf(await open(), () => ({
      type: "unavailable",
      retryAfterMs: 20_000,
      detail: "503",
    }));
    await submitted(scene.context, 2);
    await scene.forSeconds(19);
    expect(scene.starts).toBe(1);
    const rows = await scene.store.db.selectFrom("executions").selectAll().execute();
    expect(rows).toMatchObject([
      { phase: "submitting", doubt: "unavailable", due_at: rows[0]?.submitted_at },
    ]);
    await scene.forSeconds(2);
    expect(scene.starts).toBe(2);
  });

  test("dispatch in an outage gives back the runs that were claimed while the gate was closed", async () => {
    const scene = sceneOf(await open(), accepting(), { concurrency: 4 });
    await submitted(scene.context, 4);
    const ticket = scene.gate.begin() ?? 0;
    scene.onClaim = () => scene.gate.ended(ticket, unknown);
    await scene.round();
    expect(scene.starts).toBe(0);
    const runs = await scene.runs("queued");
    expect(runs).toHaveLength(4);
    expect(runs.every(({ attempt, due_at }) => attempt === 0 && due_at === scene.time.now() + SECOND)).toBe(
      true,
    );
    await scene.forSeconds(2);
    expect(await scene.runs("queued")).toEqual([]);
  });

  test("dispatch in an outage reads nothing while no run waits, and nothing while the gate is open", async () => {
    const scene = sceneOf(await open(), accepting());
    await submitted(scene.context, 3);
    await scene.forSeconds(5);
    scene.answer = () => unknown;
    await submitted(scene.context, 1);
    await scene.forSeconds(60);
    expect([scene.starts, scene.reads]).toEqual([4, 0]);
    scene.answer = accepting();
    await submitted(scene.context, 1);
    await scene.forSeconds(2);
    expect([scene.starts, scene.reads]).toEqual([5, 1]);
  });

  const limit = { max: 1, windowMs: 60 * SECOND };
  test.each<[string, Setting]>([
    ["the start limit", { limit }],
    ["the limit that all instances share", { sharedLimits: { limit, concurrency: 9 } }],
  ])("dispatch in an outage waits for a place in %s before it reads", async (_whose, setting) => {
    const scene = sceneOf(await open(), () => unknown, setting);
    await submitted(scene.context, 2);
    await scene.forSeconds(59);
    expect([scene.starts, scene.reads]).toEqual([1, 0]);
    await scene.forSeconds(2);
    expect([scene.starts, scene.reads]).toEqual([2, 1]);
  });

  test("dispatch in an outage does not pause for longer because the clock is set back", async () => {
    const scene = sceneOf(await open(), () => nobody);
    await submitted(scene.context, 1);
    await scene.round();
    scene.time.jumpWall(-3_600 * SECOND);
    await submitted(scene.context, 1);
    await scene.forSeconds(2);
    expect(scene.starts).toBe(2);
  });

  describe("when a start fails by a bug", () => {
    test("when a start fails by a bug, dispatch goes on with the other starts, whether the gate is open or closed", async () => {
      const scene = sceneOf(await open(), () => unknown);
      await submitted(scene.context, 3);
      await scene.round();
      scene.answer = () => {
        throw new Error("a bug");
      };
      await scene.forSeconds(2);
      scene.answer = accepting();
      await scene.forSeconds(4);
      expect(await scene.phases()).toEqual(["submitting", "submitting", "watching"]);
      expect(scene.faults).toEqual(["a bug"]);
    });
  });
});

function accepting(): () => StartOutcome {
  let number = 0;
  return () => ({ type: "accepted", lyceumExecutionId: `l-${++number}`, word: "pending" });
}

interface Setting {
  concurrency?: number;
  limit?: { max: number; windowMs: number } | null;
  sharedLimits?: PlaceLimits | null;
}

/** A dispatch, a Lyceum that answers as it is told, and a database that may be away or refuse an outcome. */
function sceneOf(
  { store, newId, time }: Database,
  answer: () => StartOutcome,
  { concurrency = 1, limit = null, sharedLimits = null }: Setting = {},
) {
  const list = { type: "ok", value: [] } as ReadOutcome<unknown[]>;
  const scene = {
    ...{ store, time, answer, list, history: list as ReadOutcome<unknown>, isAway: false },
    ...{ starts: 0, reads: 0, writes: 0, faults: [] as string[] },
    refuses: (_accepted: { lyceumExecutionId?: string }) => false,
    onClaim: () => {},
    isHeldAlive: true,
  };
  const context = { ...contextOf({ newId, store }), sharedLimits };
  const rateLimiter = createRateLimiter({ clock: time, random: () => 0, limits: { execution: limit } });
  const lyceum = {
    start(_request: unknown, mayLeave: () => boolean) {
      if (mayLeave()) scene.starts++;
      const outcome = mayLeave() ? scene.answer() : stale;
      return rateLimiter.run("submit", "execution", async () => {}).then(() => outcome);
    },
    async workloads() {
      scene.reads++;
      return scene.list;
    },
    history: async () => scene.history,
  } as unknown as LyceumClient;
  const isAwayNow = () => Promise.reject(new Error("the database is away"));
  const batchWrite: typeof store.batchWrite = (perform, item) => {
    const { fact } = (item as unknown as { item: FactFor }).item;
    if (scene.isAway) return isAwayNow();
    if (scene.refuses("lyceumExecutionId" in fact ? fact : {})) return Promise.reject(new Error("a bad row"));
    return store.batchWrite(perform, item);
  };
  const write: typeof store.write = async (work) => {
    if (scene.isAway) return isAwayNow();
    scene.writes++;
    const written = await store.write(work);
    scene.onClaim();
    scene.onClaim = () => {};
    return written;
  };
  const gate = createStartGate(time, () => 1);
  const report = {
    ...context.report,
    fault: (_where: string, error: unknown) => void scene.faults.push(String((error as Error).message)),
  };
  const worker = createDispatch(
    { ...context, report, store: { ...store, write, batchWrite } },
    {
      lyceum,
      rateLimiter,
      gate,
      callbacks: null,
      concurrency,
      clock: time,
      isHeldAlive: () => scene.isHeldAlive,
      mayStart: () => true,
      onCapacity: () => {},
    },
  );
  /** As its loop does: again as long as something may follow at once. */
  const round = async () => {
    for (;;) {
      const before = scene.starts + scene.reads;
      const next = await worker.runOnce().catch(() => time.now() + SECOND);
      await worker.idle();
      if (scene.starts + scene.reads === before) return next;
    }
  };
  return Object.assign(scene, {
    context,
    gate,
    round,
    async forSeconds(seconds: number) {
      for (const end = time.monotonic() + seconds * SECOND; ; ) {
        const next = await round();
        const left = end - time.monotonic();
        if (left <= 0) return;
        time.pass(Math.min(left, Math.max(1, (next ?? Number.POSITIVE_INFINITY) - time.now())));
      }
    },
    runs: (status?: "queued") =>
      store.db
        .selectFrom("runs")
        .selectAll()
        .$if(status !== undefined, (query) => query.where("status", "=", status ?? "queued"))
        .orderBy("id")
        .execute(),
    phases: async () => {
      const rows = await store.db.selectFrom("executions").select("phase").orderBy("id").execute();
      return rows.map(({ phase }) => phase);
    },
  });
}
