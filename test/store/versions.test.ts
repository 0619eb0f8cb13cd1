// Two versions of Proctor on one database: an older one goes on where it can live with what a newer one migrated.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { expect, test } from "vitest";
import { migrations } from "../../migrations/index.ts";
import { nameOf } from "../../src/store/db/dialect.ts";
import { migrate } from "../../src/store/db/migrate.ts";
import { assertWritable, openStore, type Store } from "../../src/store/store.ts";
import { createFakeTime } from "../lyceum/fake-time.ts";
import { type Database, eachDatabase } from "../support/databases.ts";

const added = "29990101T0000_added";
const newer: typeof migrations = {
  ...migrations,
  [added]: { up: async (db: Store["db"]) => void (await sql`create table added (id text)`.execute(db)) },
};

eachDatabase("a database that a newer version has migrated", (open) => {
  test("a database that a newer version has migrated is used as it is where its floor allows it, and the newer version goes on with it afterwards", async () => {
    const { store, target, connect } = await open();
    expect(await migrate(store.db, target, newer)).toEqual([added]);
    const older = connect();
    expect(await older.migrate()).toEqual([]);
    expect(await older.isMigrated()).toBe(true);
    await assertWritable(older);
    expect(await migrate(store.db, target, newer)).toEqual([]);
  });

  test("a database that a newer version has migrated is refused below its floor, by name and with the way out", async () => {
    const { store, target } = await open();
    await migrate(store.db, target, newer);
    // As a migration would that older versions cannot live with.
    await sql`insert into counters (name, value) values ('schema_floor', 299901010000)`.execute(store.db);
    await expect(store.migrate()).rejects.toThrow(
      expect.objectContaining({
        name: "DatabaseRefused",
        exitCode: 78,
        message: `${nameOf(target)} was written by a newer Proctor (${added}): upgrade, or restore a backup`,
      }),
    );
    expect(await migrate(store.db, target, newer)).toEqual([]);
  });

  test("a database of a build from before the first release is refused with the way out", async () => {
    const { store, target } = await open({ migrated: false });
    const former = "20261121T2300_initial";
    await migrate(store.db, target, { [former]: { up: async () => {} } });
    await expect(store.migrate()).rejects.toThrow(
      expect.objectContaining({
        name: "DatabaseRefused",
        exitCode: 78,
        message: `${nameOf(target)} was made by a build from before the first release (${former}) and cannot be upgraded: name an empty database, or go back to that build`,
      }),
    );
    expect(await store.isMigrated()).toBe(false);
  });

  test("a database that a newer version has migrated is refused where migrations of ours are missing from it", async () => {
    const { store, target } = await open({ migrated: false });
    const [last = ""] = Object.keys(migrations).toReversed();
    const { [last]: _, ...others } = newer;
    await migrate(store.db, target, others);
    await expect(store.migrate()).rejects.toThrow(/was written by a newer Proctor/);
  });

  test("a database that a newer version has migrated may be migrated by both at once: the older one goes on, whoever comes first", async () => {
    for (let round = 0; round < 3; round++) {
      const database: Database = await open({ migrated: false });
      const { target } = database;
      const [one, other] = [database.connect(), database.connect()];
      const applied = await Promise.all([migrate(one.db, target, newer), other.migrate()]);
      expect(applied.flat().sort()).toEqual(Object.keys(newer).sort());
      expect(await other.isMigrated()).toBe(true);
    }
  });

  test("a migration that is older than the last one is applied, as merged branches bring them", async () => {
    const { store, target } = await open({ migrated: false });
    const { [added]: migration = {} as never } = newer;
    const last = { ...migrations, "29990101T0000_last": { up: async () => {} } };
    await migrate(store.db, target, last);
    const merged = { ...last, "29980101T0000_merged": migration };
    expect(await migrate(store.db, target, merged)).toEqual(["29980101T0000_merged"]);
  });
});

test.each([
  ["is no database", "this is a text file, and long enough not to be taken for an empty one ".repeat(20)],
  ["has a damaged head", `SQLite format 3\0${"\xff".repeat(4_096)}`],
])("a file that %s is named with what to do", (_what, content) => {
  const folder = mkdtempSync(join(tmpdir(), "proctor-damaged-"));
  const path = join(folder, "proctor.db");
  writeFileSync(path, content, "latin1");
  const time = createFakeTime();
  expect(() => openStore({ kind: "sqlite", path }, time, () => "x")).toThrow(
    expect.objectContaining({
      name: "DatabaseRefused",
      exitCode: 78,
      message: expect.stringMatching(
        new RegExp(
          `^DATABASE_URL=sqlite:${path} is damaged, or no SQLite database \\(.+\\): restore a backup, or name another file$`,
        ),
      ),
    }),
  );
  rmSync(folder, { recursive: true });
});

test("a database is named without what its URL keeps secret", () => {
  const url = "postgres://user:s3cret@db.example:5433/proctor?password=s3cret&sslmode=require";
  expect(nameOf({ kind: "postgres", url })).toBe("DATABASE_URL=postgres://db.example:5433/proctor");
});
