// Which database: SQLite and PostgreSQL are opened each in a file of its own. The few other places where they differ
// ask the store for its kind.
import type { Dialect } from "kysely";
import { openPostgres, type PostgresTarget } from "./postgres.ts";
import { openSqlite, type SqliteTarget } from "./sqlite.ts";

export type DatabaseTarget = SqliteTarget | PostgresTarget;

export function openDialect(target: DatabaseTarget): Dialect {
  return target.kind === "sqlite" ? openSqlite(target.path) : openPostgres(target);
}

/** The database as DATABASE_URL names it, without what may be secret. */
export function nameOf(target: DatabaseTarget): string {
  if (target.kind === "sqlite") return `DATABASE_URL=sqlite:${target.path}`;
  const { protocol, host, pathname } = new URL(target.url);
  return `DATABASE_URL=${protocol}//${host}${pathname}`;
}
