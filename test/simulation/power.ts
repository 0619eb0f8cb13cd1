// The power of one process. Everything it does to the world (a statement, a commit, a request, a timer) passes
// here, so a crash can come right before or right after any of them; after that nothing of it has an effect. A freeze
// comes before or after a statement, or as a start is about to leave: until it is over, timers and answers wait, as for a process that is stopped.
import type { DatabaseConnection, Dialect, Driver, QueryResult } from "kysely";
import type { Timers } from "../../src/lib/clock.ts";
import type { Agenda } from "./agenda.ts";
import type { Random } from "./random.ts";

export interface Power {
  isOn(): boolean;
  isFrozen(): boolean;
  /** Counts one point at which the process may die; false if it is dead. */
  spend(): boolean;
  /** The power goes at that many points from now. */
  cutAfter(points: number): void;
  cut(): void;
  onCut(listener: () => void): void;
  freeze(plan: Freeze): void;
  freezeNoMore(): void;
  onFreeze(listener: (ms: number) => void): void;
  /** Counts one point at which a freeze may begin. Resolves once the process goes on; null: it does. */
  standStill(sql: string, moment: "before" | "after"): Promise<void> | null;
  /** As a start's connection is opened, or between the last look at the fence and the first byte. */
  standStillAtStart(moment: "connecting" | "leaving"): Promise<void> | null;
  /** Something reaches the process from outside: it finds out when it goes on, and never once it is dead. */
  deliver(fn: () => void): void;
}

/**
 * The process stands still for `ms`: in so many statements, when a claim of runs is written and no start is sent, or at
 * the next start.
 */
export interface Freeze {
  ms: number;
  points: number | "claim" | "connecting" | "leaving";
}

export function createPower(agenda: Agenda): Power {
  const cutListeners: (() => void)[] = [];
  const freezeListeners: ((ms: number) => void)[] = [];
  const withheld: (() => void)[] = [];
  let on = true;
  let left = Number.POSITIVE_INFINITY;
  let frozen = false;
  let plans: Freeze[] = [];
  let isClaiming = false;
  const cut = () => {
    if (!on) return;
    on = false;
    for (const listener of cutListeners) listener();
  };

  /** Resolves once the process goes on; null: it does. */
  function standStill(isDue: (plan: Freeze) => boolean): Promise<void> | null {
    if (!frozen) {
      const due = plans.find(isDue);
      plans = plans.filter((plan) => plan !== due);
      if (due !== undefined) freeze(due.ms);
    }
    return frozen ? new Promise((resolve) => deliver(resolve)) : null;
  }

  function freeze(ms: number): void {
    frozen = true;
    agenda.after(ms, thaw);
    for (const listener of freezeListeners) listener(ms);
  }

  /** Withheld timers and replies arrive at once, in any order. */
  function thaw(): void {
    frozen = false;
    for (const fn of withheld.splice(0)) agenda.after(0, () => deliver(fn));
  }

  function deliver(fn: () => void): void {
    if (!on) return;
    if (frozen) withheld.push(fn);
    else fn();
  }

  return {
    isOn: () => on,
    isFrozen: () => on && frozen,
    spend() {
      agenda.stir();
      if (on && --left < 0) cut();
      return on;
    },
    cutAfter: (points) => {
      if (frozen) cut();
      else left = points;
    },
    cut,
    onCut: (listener) => void cutListeners.push(listener),
    freeze: (plan) => void plans.push({ ...plan }),
    freezeNoMore: () => {
      plans = [];
    },
    onFreeze: (listener) => void freezeListeners.push(listener),
    standStill(sql, moment) {
      if (!frozen && sql.startsWith("begin")) isClaiming = false;
      if (!frozen && sql.startsWith('insert into "executions"')) isClaiming = true;
      const isClaimed = isClaiming && sql === "commit" && moment === "after";
      return standStill((plan) => {
        if (typeof plan.points === "number") return --plan.points < 0;
        return plan.points === "claim" && isClaimed;
      });
    },
    standStillAtStart: (moment) => standStill(({ points }) => points === moment),
    deliver,
  };
}

/** Never resolves: a dead process goes no further. */
export function never<T>(): Promise<T> {
  return new Promise(() => {});
}

export function poweredTimers(power: Power, agenda: Agenda): Timers {
  return {
    after(ms, fn) {
      let isCancelled = false;
      const cancel = agenda.after(ms, () => power.deliver(() => isCancelled || fn()));
      return () => {
        isCancelled = true;
        cancel();
      };
    },
  };
}

export interface Disk {
  random: Random;
  /** The probability that a commit takes virtual time, in which other events happen. */
  slowCommits: number;
}

/** The real dialect on the real file; the process may die before and after each statement. */
export function poweredDialect(real: Dialect, power: Power, agenda: Agenda, disk: Disk): Dialect {
  return {
    createAdapter: () => real.createAdapter(),
    createIntrospector: (db) => real.createIntrospector(db),
    createQueryCompiler: () => real.createQueryCompiler(),
    createDriver() {
      const driver = real.createDriver();
      // A dying process closes nothing, but its locks go and what it did not commit is rolled back.
      power.onCut(() => void driver.destroy());
      const around = (connection: DatabaseConnection): DatabaseConnection => ({
        executeQuery: (query) =>
          execute({ power, agenda, disk }, query.sql, () => connection.executeQuery(query)),
        streamQuery: () => {
          throw new Error("nothing streams here");
        },
      });
      let connection: DatabaseConnection | null = null;
      const powered: Driver = {
        init: (options) => driver.init(options),
        async acquireConnection(options) {
          connection ??= around(await driver.acquireConnection(options));
          return connection;
        },
        releaseConnection: async () => {},
        beginTransaction: (on, settings) => driver.beginTransaction(on, settings),
        commitTransaction: (on) => driver.commitTransaction(on),
        rollbackTransaction: (on) => driver.rollbackTransaction(on),
        destroy: (options) => (power.isOn() ? driver.destroy(options) : never()),
      };
      return powered;
    },
  };
}

/** Runs a statement, before and after which the process may die or freeze. */
export async function execute<R>(
  { power, agenda, disk }: { power: Power; agenda: Agenda; disk: Disk },
  sql: string,
  run: () => Promise<QueryResult<R>>,
): Promise<QueryResult<R>> {
  if (!power.spend()) return never();
  const before = power.standStill(sql, "before");
  if (before !== null) await before;
  if (sql === "commit" && disk.random.chance(disk.slowCommits)) {
    await new Promise<void>((resolve) => agenda.after(disk.random.between(1, 1_500), resolve));
    if (!power.isOn()) return never();
  }
  const result = await run();
  if (!power.spend()) return never();
  const after = power.standStill(sql, "after");
  if (after !== null) await after;
  return result;
}
