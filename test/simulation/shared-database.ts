// One database for several hosts, in the place of PostgreSQL. It is SQLite in one file: PostgreSQL itself answers in
// real time and in an order of its own, so a seed would not tell the same story twice, and each statement would take
// twenty times as long. The service takes it for PostgreSQL, and so uses presence, owners of claims, the fence, roles
// and places; the few words that SQLite's SQL lacks are replaced here. What PostgreSQL does for its clients is here as
// well: the clock that all follow, reads that see what is committed, the end of a transaction whose client is silent,
// and NOTIFY. Writers wait for each other as a whole, not by row: lock orders, deadlocks and READ COMMITTED are left to
// `npm run chaos`, which runs real instances on a real PostgreSQL.
import { CompiledQuery, type DatabaseConnection, type Dialect, type Driver, type QueryResult } from "kysely";
import { DatabaseUnavailable } from "../../src/lib/database-error.ts";
import type { Agenda } from "./agenda.ts";
import { type Disk, execute, never, type Power } from "./power.ts";

export interface SharedDatabase {
  /** The database as one process sees it. */
  dialectFor(power: Power, disk: Disk, instance: string): Dialect;
}

interface Process {
  power: Power;
  disk: Disk;
  instance: string;
}

/** As `idle_in_transaction_session_timeout` in src/store/db/postgres.ts. */
const MAX_IDLE_MS = 5_000;

/**
 * @param open opens one more connection to the file
 * @param onCommit called right after an instance has changed the database
 */
export function createSharedDatabase(
  open: () => Dialect,
  agenda: Agenda,
  onCommit: (instance: string) => void,
): SharedDatabase {
  const lock = createLock();

  function translate(query: CompiledQuery): CompiledQuery {
    const sql = query.sql
      .replaceAll("(extract(epoch from clock_timestamp()) * 1000)::bigint", String(agenda.now()))
      .replace(/\bfor update( skip locked)?/, "")
      .replace("pg_database_size(current_database())", "0")
      .replace(/\bleast\(/, "min(");
    return { ...query, sql };
  }

  /** One connection of a process's pool: it reads what is committed, or is in a transaction of its own. */
  function connectionOf(
    { power, disk, instance }: Process,
    reader: DatabaseConnection,
    writer: DatabaseConnection,
  ) {
    let state: "free" | "open" | "committing" | "lost" = "free";

    /** The database ends the transaction of a client that stands still in the middle of it. */
    function watchIdleness(): void {
      agenda.after(MAX_IDLE_MS, () => {
        if (state !== "open" || !power.isFrozen()) return;
        state = "lost";
        void writer.executeQuery(CompiledQuery.raw("rollback"));
        lock.release();
      });
    }

    power.onFreeze(() => state === "open" && watchIdleness());
    power.onCut(() => (state === "open" || state === "committing") && leave());

    async function run<R>(query: CompiledQuery): Promise<QueryResult<R>> {
      const { sql } = query;
      if (state === "lost")
        throw new DatabaseUnavailable("away", "the transaction's connection is lost", null);
      if (state !== "free") {
        if (sql === "commit") state = "committing";
        const result = await writer.executeQuery<R>(query);
        if (sql === "commit") onCommit(instance);
        if (sql === "commit" || sql === "rollback") leave();
        return result;
      }
      const isWrite = /^\s*(insert|update|delete)\b/i.test(sql);
      if (!isWrite && sql !== "begin immediate") return reader.executeQuery<R>(query);
      await lock.take(power);
      state = "open";
      if (!power.isOn()) {
        leave();
        return never();
      }
      if (!isWrite && power.isFrozen()) watchIdleness();
      const result = await writer.executeQuery<R>(query).finally(() => isWrite && leave());
      if (isWrite) onCommit(instance);
      return result;
    }

    function leave(): void {
      state = "free";
      lock.release();
    }

    return {
      hasTransaction: () => state === "open",
      /** Ready for its next user: a lost connection is replaced. */
      reset: () => {
        state = "free";
      },
      executeQuery<R>(query: CompiledQuery) {
        return execute({ power, agenda, disk }, query.sql, () => run<R>(translate(query)));
      },
      streamQuery() {
        throw new Error("nothing streams here");
      },
    };
  }

  return {
    dialectFor(power, disk, instance) {
      const [reading, writing] = [open(), open()];
      return {
        createAdapter: () => writing.createAdapter(),
        createIntrospector: (db) => writing.createIntrospector(db),
        createQueryCompiler: () => writing.createQueryCompiler(),
        createDriver() {
          const [reads, writes] = [reading.createDriver(), writing.createDriver()];
          power.onCut(() => void reads.destroy());
          power.onCut(() => void writes.destroy());
          let reader: DatabaseConnection;
          let writer: DatabaseConnection;
          type Connection = ReturnType<typeof connectionOf>;
          const pool: Connection[] = [];
          const driver: Driver = {
            async init() {
              await Promise.all([reads.init(), writes.init()]);
              [reader, writer] = [await reads.acquireConnection(), await writes.acquireConnection()];
            },
            acquireConnection: async () =>
              pool.pop() ?? connectionOf({ power, disk, instance }, reader, writer),
            async releaseConnection(connection) {
              (connection as Connection).reset();
              pool.push(connection as Connection);
            },
            beginTransaction: (on, settings) => writes.beginTransaction(on, settings),
            commitTransaction: (on) => writes.commitTransaction(on),
            rollbackTransaction: async (on) => {
              if ((on as Connection).hasTransaction()) await writes.rollbackTransaction(on);
            },
            async destroy() {
              if (!power.isOn()) return never();
              await Promise.all([reads.destroy(), writes.destroy()]);
            },
          };
          return driver;
        },
      };
    },
  };
}

/** Lets one writer after the other into the database. */
function createLock() {
  const waiting: { power: Power; enter: () => void }[] = [];
  let isTaken = false;
  return {
    /** Never resolves for a process that has died meanwhile. */
    async take(power: Power): Promise<void> {
      if (isTaken) return new Promise((enter) => waiting.push({ power, enter }));
      isTaken = true;
    },
    release(): void {
      const living = waiting.findIndex(({ power }) => power.isOn());
      const [next] = living < 0 ? [] : waiting.splice(0, living + 1).slice(-1);
      isTaken = next !== undefined;
      next?.enter();
    },
  };
}
