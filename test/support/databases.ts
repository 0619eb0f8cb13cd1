// Runs a block of tests on SQLite (a real file) and on PostgreSQL, each test on fresh, migrated databases of its
// own, with a clock that stands still and ids that repeat.
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterEach, describe, inject } from "vitest";
import { idSource, type NewId } from "../../src/lib/id.ts";
import type { DatabaseTarget } from "../../src/store/db/dialect.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { createFakeTime, type FakeTime } from "../lyceum/fake-time.ts";

export type Kind = DatabaseTarget["kind"];

export interface Database {
  target: DatabaseTarget;
  store: Store;
  time: FakeTime;
  newId: NewId;
  /** One more store on the same database: another instance, or the same one after a restart. */
  connect(): Store;
}

/** A fresh database; everything that was opened is closed and removed after the test. */
export type Open = (options?: { migrated: boolean }) => Promise<Database>;

export function eachDatabase(title: string, tests: (open: Open, kind: Kind) => void): void {
  onSqlite(title, (open) => tests(open, "sqlite"));
  onPostgres(title, (open) => tests(open, "postgres"));
}

export function onSqlite(title: string, tests: (open: Open) => void): void {
  describe(`${title} (SQLite)`, () => tests(opener(createFile)));
}

export function onPostgres(title: string, tests: (open: Open) => void): void {
  describe(`${title} (PostgreSQL)`, () => tests(opener(createDatabase)));
}

export interface Created {
  target: DatabaseTarget;
  remove(): Promise<void>;
}

function opener(create: (migrated: boolean) => Promise<Created>): Open {
  let endings: (() => Promise<void>)[] = [];

  afterEach(async () => {
    // The stores were opened last and are closed first.
    for (const end of endings.reverse()) await end();
    endings = [];
  });

  return async ({ migrated } = { migrated: true }) => {
    const { target, remove } = await create(migrated);
    endings.push(remove);
    const time = createFakeTime();
    const newId = idSource(time, seeded());
    const connect = () => {
      const store = openStore(target, time, newId);
      endings.push(() => store.close());
      return store;
    };
    const store = connect();
    if (migrated) await store.migrate();
    return { target, store, time, newId, connect };
  };
}

async function createFile(): Promise<Created> {
  const directory = await mkdtemp(join(tmpdir(), "proctor-sqlite-"));
  return {
    target: { kind: "sqlite", path: join(directory, "proctor.db") },
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

/** A fresh database on the PostgreSQL of the tests. */
export async function createDatabase(migrated: boolean): Promise<Created> {
  const server = await postgresUrl();
  const name = databaseName();
  const like = migrated ? `template ${await migratedTemplate(server)}` : "";
  await administer(server, `create database ${name} ${like}`);
  return {
    target: { kind: "postgres", url: `${server}/${name}` },
    remove: () => administer(server, `drop database ${name} with (force)`),
  };
}

/** Migrated once for each test file: copying it is several times faster than migrating again. */
function migratedTemplate(server: string): Promise<string> {
  template ??= (async () => {
    const name = databaseName();
    await administer(server, `create database ${name}`);
    const time = createFakeTime();
    const store = openStore({ kind: "postgres", url: `${server}/${name}` }, time, idSource(time, seeded()));
    await store.migrate();
    await store.close();
    return name;
  })();
  return template;
}

let template: Promise<string> | undefined;

function databaseName(): string {
  return `proctor_${randomUUID().replaceAll("-", "")}`;
}

/** @throws when there is no PostgreSQL: a test that cannot run fails, it is never skipped. */
async function postgresUrl(): Promise<string> {
  const response = await fetch(inject("postgresDesk"));
  const answer = await response.text();
  if (!response.ok) throw new Error(answer);
  return answer;
}

async function administer(server: string, command: string): Promise<void> {
  const client = new pg.Client({ connectionString: `${server}/postgres` });
  await client.connect();
  await client.query(command).finally(() => client.end());
}

/** Numbers in [0, 1) that are the same in each test (a linear congruential generator, as in Numerical Recipes). */
function seeded(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
