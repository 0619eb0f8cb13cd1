// Backups and restores of SQLite: of one moment, sound, private, the newest kept, and never over a database in use.
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import SqliteDatabase from "better-sqlite3";
import { expect, it } from "vitest";
import { backup, restore } from "../../src/app/maintenance.ts";
import { backupPath, listBackups, rotateBackups } from "../../src/store/backup/back-up.ts";
import { image, startService, until } from "../support/service.ts";

function folderOf() {
  const path = mkdtempSync(join(tmpdir(), "proctor-backup-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

it("a backup of a busy service is of one moment: events without gaps, runs that fit their jobs", async () => {
  using folder = folderOf();
  await using service = await startService();
  let isOver = false;
  const submitting = (async () => {
    while (!isOver) await service.submit({ runs: Array.from({ length: 20 }, () => image("delay=50ms")) });
  })();
  await until("some jobs", async () => (await service.ann.get("/v1/jobs")).body.data.length > 3);
  const path = join(folder.path, "copy.db");
  await backup({ kind: "sqlite", path: service.database }, { path });
  isOver = true;
  await submitting;
  using copy = new Closing(path);
  expect(copy.get("pragma journal_mode")).toEqual({ journal_mode: "delete" });
  const events = copy.get("select count(*) as count, min(seq) as first, max(seq) as last from events");
  expect(events.count).toBe(Number(events.last) - Number(events.first) + 1);
  expect(
    copy.get(
      "select count(*) as count from jobs where total <> (select count(*) from runs where job_id = jobs.id)",
    ),
  ).toEqual({ count: 0 });
  expect(readdirSync(folder.path)).toEqual(["copy.db"]);
});

class Closing {
  readonly #database: SqliteDatabase.Database;
  constructor(path: string) {
    this.#database = new SqliteDatabase(path, { readonly: true });
  }
  get(sql: string) {
    return this.#database.prepare(sql).get() as Record<string, number>;
  }
  [Symbol.dispose]() {
    this.#database.close();
  }
}

it("the service backs up by the clock and keeps the newest", async () => {
  using folder = folderOf();
  await using service = await startService({ settings: { BACKUP_DIR: folder.path, BACKUP_KEEP: "1" } });
  await until("the first backup", () => listBackups(folder.path).length === 1);
  const [first] = listBackups(folder.path);
  expect(statSync(first?.path ?? "").mode & 0o777).toBe(0o600);
  // A restart within the interval makes no further one.
  await service.restart();
  expect(listBackups(folder.path)).toEqual([first]);
});

it("rotation removes the oldest backups and nothing else", () => {
  using folder = folderOf();
  const times = [1, 3, 2].map((hour) => Date.UTC(2026, 0, 1, hour));
  for (const at of times) writeFileSync(backupPath(folder.path, at), "");
  writeFileSync(join(folder.path, "notes.db"), "");
  expect(rotateBackups(folder.path, 2)).toBe(1);
  expect(readdirSync(folder.path).toSorted()).toEqual([
    "notes.db",
    "proctor-2026-01-01T02-00-00Z.db",
    "proctor-2026-01-01T03-00-00Z.db",
  ]);
});

it("a damaged or foreign file is refused, and leaves nothing behind", async () => {
  using folder = folderOf();
  const target = { kind: "sqlite", path: join(folder.path, "proctor.db") } as const;
  const file = join(folder.path, "backup.db");
  writeFileSync(file, "no database at all, but long enough to be looked at ".repeat(100));
  await expect(restore(target, file, false)).rejects.toThrow(/damaged, or no SQLite database/);
  const foreign = join(folder.path, "foreign.db");
  new SqliteDatabase(foreign).exec("create table other (a)").close();
  await expect(restore(target, foreign, false)).rejects.toThrow("no database of Proctor");
  expect(readdirSync(folder.path).toSorted()).toEqual(["backup.db", "foreign.db"]);
});

it("restore refuses a database that is present, and moves it aside only when told", async () => {
  using folder = folderOf();
  await using service = await startService();
  const database = { kind: "sqlite", path: service.database } as const;
  await service.run(image());
  const file = join(folder.path, "backup.db");
  await backup(database, { path: file });
  await service.stop();
  await expect(restore(database, file, false)).rejects.toThrow("--replace");
  const { formerPath, since } = await restore(database, file, true);
  expect(existsSync(formerPath ?? "")).toBe(true);
  expect(readdirSync(dirname(service.database)).filter((name) => name.includes("restored"))).toEqual([]);
  expect(since).toBeGreaterThan(Date.now() - 60_000);
  expect(service.rows("select value from counters where name = 'restored.since'")).toEqual([
    { value: since },
  ]);
  await service.restart({ IN_DOUBT_AFTER: "1s" });
  expect((await service.run(image())).status).toBe("succeeded");
});
