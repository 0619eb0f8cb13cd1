// The simulation can fail: each of these known bugs is planted into the real code, and must be found within a
// bounded number of seeds, by one that the code as it is passes.

import { afterEach, expect, test, vi } from "vitest";
import type { Execution } from "../../src/domain/execution.ts";
import type { Story, Wishes } from "./world.ts";

const FROM = 1_000;
const MAX_SEEDS = 30;

/** Weathers in which a bug shows; the others show in any. */
const weathers: Record<string, string[]> = {
  "a page is believed as 404": ["404 pages"],
  "the list overrules the record": ["stale list", "lost callbacks"],
  "starts are sent into an outage": ["starts away"],
  "a clamped page is taken for the last": ["starts away", "brief runs", "long history"],
};

/** Bugs of several hosts over one database; the others show with one. */
const shared: Record<string, () => void> = {
  "a start leaves without a look at the fence": () =>
    vi.doMock("../../src/workers/presence.ts", async (original) => {
      const real = await original<typeof import("../../src/workers/presence.ts")>();
      const createPresence: typeof real.createPresence = (...given) => ({
        ...real.createPresence(...given),
        isHeldAlive: () => true,
      });
      return { ...real, createPresence };
    }),

  "a claimed start names no owner": () =>
    vi.doMock("../../src/store/executions.ts", async (original) => {
      const real = await original<typeof import("../../src/store/executions.ts")>();
      const saveExecutions: typeof real.saveExecutions = (db, changes) => real.saveExecutions(db, changes);
      return { ...real, saveExecutions };
    }),

  "a claimed check names no owner": () =>
    vi.doMock("../../src/store/execution-claims.ts", async (original) => {
      const real = await original<typeof import("../../src/store/execution-claims.ts")>();
      const claimDue: typeof real.claimDue = (db, kind, now, leaseUntil, limit) =>
        real.claimDue(db, kind, now, leaseUntil, limit);
      const claimNamed: typeof real.claimNamed = (db, now, leaseUntil, limit) =>
        real.claimNamed(db, now, leaseUntil, limit);
      const claimListable: typeof real.claimListable = (db, horizon, leaseUntil, limit) =>
        real.claimListable(db, horizon, leaseUntil, limit);
      return { ...real, claimDue, claimNamed, claimListable };
    }),

  "a place is given back twice": () =>
    vi.doMock("../../src/store/places.ts", async (original) => {
      const real = await original<typeof import("../../src/store/places.ts")>();
      const settlePlaces: typeof real.settlePlaces = async (db, ids, freeAt) => {
        await real.settlePlaces(db, ids, freeAt);
        // As a counter would: the second one is some other start's.
        const rows = await db.selectFrom("places").select("execution_id").limit(ids.length).execute();
        const others = rows.map((row) => row.execution_id);
        await real.settlePlaces(db, others, null);
      };
      return { ...real, settlePlaces };
    }),
};

const plants: Record<string, () => void> = {
  "a start is sent again after a time-out": () =>
    vi.doMock("../../src/lib/network-error.ts", async (original) => ({
      ...(await original<object>()),
      isNotSent: () => true,
    })),

  "a callback's body is believed": () =>
    vi.doMock("../../src/orchestration/receive-callback.ts", async (original) => {
      const real = await original<typeof import("../../src/orchestration/receive-callback.ts")>();
      const { applyFact } = await import("../../src/orchestration/apply-facts.ts");
      const { snapshotOfWord } = await import("../../src/lyceum/snapshot.ts");
      const receiveCallback: typeof real.receiveCallback = async (context, callback) => {
        await real.receiveCallback(context, callback);
        const word = /"status":"(\w+)"/.exec(callback.body.toString())?.[1];
        const reading = { type: "snapshot", by: "callback", askedAt: 0 } as const;
        if (word !== undefined)
          await context.store.write((tx) =>
            applyFact(context, tx, {
              executionId: callback.executionId,
              fact: { ...reading, snapshot: snapshotOfWord(word) },
            }),
          );
      };
      return { ...real, receiveCallback };
    }),

  "a callback leaves the inbox and is stored nowhere": () =>
    vi.doMock("../../src/store/callbacks.ts", async (original) => ({
      ...(await original<object>()),
      insertCallbacks: async () => {},
    })),

  // SQLite has one writer, so what compare-and-set guards against is planted with its removal: a change is built on
  // what was read when the work began, and then saved whatever happened since.
  "compare-and-set is removed": () => {
    const readAtClaim = new Map<string, Execution>();
    vi.doMock("../../src/store/execution-claims.ts", async (original) => {
      const real = await original<typeof import("../../src/store/execution-claims.ts")>();
      const loadDue: typeof real.loadDue = async (db, ids) => {
        const due = await real.loadDue(db, ids);
        for (const { execution } of due) readAtClaim.set(execution.id, execution);
        return due;
      };
      return { ...real, loadDue };
    });
    vi.doMock("../../src/store/executions.ts", async (original) => {
      const real = await original<typeof import("../../src/store/executions.ts")>();
      const findExecutions: typeof real.findExecutions = async (db, ids) =>
        (await real.findExecutions(db, ids)).map((execution) => readAtClaim.get(execution.id) ?? execution);
      const saveExecutions: typeof real.saveExecutions = async (db, changes) => {
        for (const { before, after } of changes) {
          const current = before && ((await real.findExecution(db, before.id)) ?? before);
          await real.saveExecutions(db, [{ before: current, after }]);
        }
      };
      return { ...real, findExecutions, saveExecutions };
    });
  },

  "success is told before the commit": () =>
    vi.doMock("../../src/store/db/group-commit.ts", async (original) => {
      const real = await original<typeof import("../../src/store/db/group-commit.ts")>();
      const groupCommit: typeof real.groupCommit = (db, perform, ...rest) => {
        const told = new Map<unknown, (result: unknown) => void>();
        const tellEarly: typeof perform = async (trx, works) => {
          const performed = await perform(trx, works);
          for (const [index, work] of works.entries()) told.get(work)?.(performed.results[index]);
          return performed;
        };
        const { write, joined } = real.groupCommit(db, tellEarly, ...rest);
        const writeTold: typeof write = (work) =>
          new Promise((resolve, reject) => {
            told.set(work, resolve as (result: unknown) => void);
            write(work).catch(reject);
          });
        return { write: writeTold, joined };
      };
      return { groupCommit };
    }),

  "a wake-up is forgotten": () =>
    vi.doMock("../../src/domain/state-machine/transition.ts", async (original) => {
      const real = await original<typeof import("../../src/domain/state-machine/transition.ts")>();
      const transition: typeof real.transition = (situation, fact, moment) => {
        const next = real.transition(situation, fact, moment);
        if (fact.type !== "unanswered" || next?.execution == null) return next;
        return { ...next, execution: { ...next.execution, dueAt: Number.MAX_SAFE_INTEGER } };
      };
      return { ...real, transition };
    }),

  "the grace runs on during an outage": () =>
    vi.doMock("../../src/domain/state-machine/schedule.ts", async (original) => {
      const real = await original<typeof import("../../src/domain/state-machine/schedule.ts")>();
      const answeredMs: typeof real.answeredMs = ({ inDoubtAt, acceptedAt, unseenMs }, now) =>
        now - (inDoubtAt ?? acceptedAt ?? now) - unseenMs;
      return { ...real, answeredMs };
    }),

  "any log is taken for a whole one": () =>
    vi.doMock("../../src/domain/output.ts", async (original) => ({
      ...(await original<object>()),
      compareLog: () => "whole",
    })),

  "a page is believed as 404": () =>
    vi.doMock("../../src/lyceum/outcome-of-reply.ts", async (original) => {
      const real = await original<typeof import("../../src/lyceum/outcome-of-reply.ts")>();
      const toReadOutcome: typeof real.toReadOutcome = async (reply, ...rest) =>
        reply.type === "answer" && reply.status === 404
          ? { type: "missing", detail: "404" }
          : real.toReadOutcome(reply, ...rest);
      return { ...real, toReadOutcome };
    }),

  "the list overrules the record": () =>
    vi.doMock("../../src/workers/reconcile/audit.ts", async (original) => {
      const real = await original<typeof import("../../src/workers/reconcile/audit.ts")>();
      const createAudit: typeof real.createAudit = (...given) => ({
        ...real.createAudit(...given),
        ofListed: () => [],
      });
      return { ...real, createAudit };
    }),

  "starts are sent into an outage": () =>
    vi.doMock("../../src/workers/start-gate.ts", async (original) => {
      const real = await original<typeof import("../../src/workers/start-gate.ts")>();
      const createStartGate: typeof real.createStartGate = (...given) => ({
        ...real.createStartGate(...given),
        permit: () => ({ type: "all" }),
        begin: () => 0,
      });
      return { ...real, createStartGate };
    }),

  "a clamped page is taken for the last": () =>
    vi.doMock("../../src/workers/reconcile/history.ts", async (original) => {
      const real = await original<typeof import("../../src/workers/reconcile/history.ts")>();
      const createHistoryPass: typeof real.createHistoryPass = (lyceum, options) => {
        let isOver = false;
        const history: typeof lyceum.history = async (page, priority) => {
          if (isOver) return { type: "ok", value: { rows: [], count: 0, total: null } };
          const answer = await lyceum.history(page, priority);
          if (answer.type !== "ok") return answer;
          isOver = answer.value.count < page.limit;
          return { type: "ok", value: { ...answer.value, total: null } };
        };
        return real.createHistoryPass({ history }, options);
      };
      return { ...real, createHistoryPass };
    }),

  "rows of a deleted job are forgotten": () =>
    vi.doMock("../../src/store/deletions.ts", async (original) => {
      const real = await original<typeof import("../../src/store/deletions.ts")>();
      const removeDeleted: typeof real.removeDeleted = async (db) => {
        const jobs = db.deleteFrom("jobs").where("deleted_at", "is not", null);
        return (await jobs.executeTakeFirst()).numDeletedRows > 0n;
      };
      return { ...real, removeDeleted };
    }),
};

const mocked = [
  ...["lib/network-error", "lyceum/outcome-of-reply", "orchestration/receive-callback"],
  ...[
    "store/callbacks",
    "store/execution-claims",
    "store/executions",
    "store/deletions",
    "store/db/group-commit",
  ],
  ...["domain/state-machine/transition", "domain/state-machine/schedule", "domain/output"],
  ...["workers/reconcile/audit", "workers/start-gate", "workers/reconcile/history"],
  ...["workers/presence", "store/places"],
];

afterEach(heal);

function heal(): void {
  for (const path of mocked) vi.doUnmock(`../../src/${path}.ts`);
  vi.resetModules();
}

const all = { ...plants, ...shared };

test.for(Object.keys(all))("it is found when %s", { timeout: 600_000 }, async (name) => {
  const wishes = { weathers: weathers[name] ?? null, hosts: name in shared ? 2 : 1 };
  vi.resetModules();
  all[name]?.();
  const found = await firstFailure(wishes);
  // An invariant caught it, not a crash of what was planted.
  expect(found?.failure).toMatch(/^Violation: /);
  heal();
  const { simulate } = await import("./world.ts");
  const healed = await simulate(found?.seed ?? FROM, wishes);
  expect(healed.failure).toBeNull();
});

async function firstFailure(wishes: Wishes): Promise<Story | null> {
  const { simulate } = await import("./world.ts");
  for (let seed = FROM; seed < FROM + MAX_SEEDS; seed++) {
    const story = await simulate(seed, wishes);
    if (story.failure !== null) return story;
  }
  return null;
}
