// The power of one process. Everything it does to the world (a statement, a commit, a request, a timer) passes
// here, so a crash can come right before or right after any of them; after that nothing of it has an effect.
import type { DatabaseConnection, Dialect, Driver, QueryResult } from "kysely";
import type { Timers } from "../../src/lib/clock.ts";
import type { Agenda } from "./agenda.ts";
import type { Random } from "./random.ts";

export interface Power {
  isOn(): boolean;
  /** Counts one point at which the process may die; false if it is dead. */
  spend(): boolean;
  /** The power goes at that many points from now. */
  cutAfter(points: number): void;
  cut(): void;
  onCut(listener: () => void): void;
}

export function createPower(agenda: Agenda): Power {
  const listeners: (() => void)[] = [];
  let on = true;
  let left = Number.POSITIVE_INFINITY;
  const cut = () => {
    if (!on) return;
    on = false;
    for (const listener of listeners) listener();
  };
  return {
    isOn: () => on,
    spend() {
      agenda.stir();
      if (on && --left < 0) cut();
      return on;
    },
    cutAfter: (points) => {
      left = points;
    },
    cut,
    onCut: (listener) => void listeners.push(listener),
  };
}

/** Never resolves: a dead process goes no further. */
export function never<T>(): Promise<T> {
  return new Promise(() => {});
}

export function poweredTimers(power: Power, agenda: Agenda): Timers {
  return { after: (ms, fn) => agenda.after(ms, () => power.isOn() && fn()) };
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
        executeQuery: (query) => execute(() => connection.executeQuery(query), query.sql),
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

  async function execute<R>(run: () => Promise<QueryResult<R>>, sql: string): Promise<QueryResult<R>> {
    if (!power.spend()) return never();
    if (sql === "commit" && disk.random.chance(disk.slowCommits)) {
      await new Promise<void>((resolve) => agenda.after(disk.random.between(1, 1_500), resolve));
      if (!power.isOn()) return never();
    }
    const result = await run();
    return power.spend() ? result : never();
  }
}
