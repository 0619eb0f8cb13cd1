// The choice between SQLite and PostgreSQL. Code that differs elsewhere asks the store for its kind.
import type { Dialect } from "kysely";
import { openPostgres, type PostgresTarget } from "./postgres.ts";
import { openSqlite, type SqliteTarget } from "./sqlite.ts";

export type DatabaseTarget = SqliteTarget | PostgresTarget;

export function openDialect(target: DatabaseTarget): Dialect {
  return target.kind === "sqlite" ? openSqlite(target.path) : openPostgres(target);
}

export function nameOf(target: DatabaseTarget): string {
  if (target.kind === "sqlite") return `DATABASE_URL=sqlite:${target.path}`;
  const { protocol, host, pathname } = new URL(target.url);
  return `DATABASE_URL=${protocol}//${host}${pathname}`;
}
