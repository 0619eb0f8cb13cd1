// Stories of a SQLite file that is removed, replaced, locked by another process or out of disk space under a
// running service. Nothing is acknowledged that the file lacks, and the process stays alive.
import { randomBytes } from "node:crypto";
import { copyFileSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import Sqlite from "better-sqlite3";
import { CompiledQuery, type Dialect } from "kysely";
import { expect, it } from "vitest";
import { openDialect } from "../../src/store/db/dialect.ts";
import { image, startService } from "../support/service.ts";

const body = { runs: [image()] };

it.concurrent.each([
  ["the database is removed", (path: string) => rmSync(path)],
  ["its log is removed", (path: string) => rmSync(`${path}-wal`)],
  [
    "the database is replaced by a copy",
    (path: string) => {
      copyFileSync(path, `${path}.copy`);
      renameSync(`${path}.copy`, path);
    },
  ],
  ["its folder is renamed", (path: string) => renameSync(dirname(path), `${dirname(path)}-moved`)],
])("when %s no request is acknowledged any more, and readiness fails", async (_what, spoil) => {
  const service = await startService();
  await service.submit(body);
  spoil(service.database);
  const answer = await service.ann.post("/v1/jobs", body);
  expect(answer).toMatchObject({ status: 503, body: { type: "urn:proctor:problem:database-unavailable" } });
  expect(answer.headers.get("Retry-After")).toBe("2");
  expect((await service.nobody.get("/readyz")).status).toBe(503);
  expect((await service.nobody.get("/livez")).status).toBe(200);
  const told = service.logLines.filter((line) => line.includes('"event":"database_unavailable"'));
  expect(told).toHaveLength(1);
  expect(told[0]).toContain(`DATABASE_URL=sqlite:${service.database}`);
  await service.close();
});

it.concurrent("the service answers while another process holds the write lock, and goes on after its release", async () => {
  await using service = await startService();
  const { id } = await service.submit({ runs: [image("delay=50s")] });
  const other = new Sqlite(service.database);
  other.exec("begin immediate");
  const submitted = service.ann.post("/v1/jobs", body);
  let isSubmitted = false;
  void submitted.then(() => {
    isSubmitted = true;
  });
  // Requests that write nothing are not kept waiting by those that do.
  let answered = 0;
  while (!isSubmitted) {
    expect((await service.nobody.get("/livez")).status).toBe(200);
    expect((await service.ann.get(`/v1/jobs/${id}`)).status).toBe(200);
    answered++;
  }
  expect(answered).toBeGreaterThan(5);
  expect(await submitted).toMatchObject({ status: 503 });
  expect((await submitted).headers.get("Retry-After")).toBe("2");
  const patient = service.ann.post("/v1/jobs", body);
  await service.ann.get("/v1/jobs");
  other.exec("commit");
  expect((await patient).status).toBe(202);
  other.close();
});

it.concurrent("a full disk is reported as such, and readiness fails until there is room", async () => {
  const folder = mkdtempSync(join(tmpdir(), "proctor-full-"));
  const path = join(folder, "proctor.db");
  const { dialect, limitPages } = limited(path);
  const service = await startService({
    settings: { DATABASE_URL: `sqlite:${path}` },
    surroundings: { dialect },
  });
  await service.submit(body);
  await limitPages(1);
  const large = { runs: [{ kind: "python", code: `# ${randomBytes(200_000).toString("hex")}` }] };
  const answer = await service.ann.post("/v1/jobs", large);
  expect(answer).toMatchObject({ status: 507, body: { type: "urn:proctor:problem:insufficient-storage" } });
  expect(answer.headers.get("Retry-After")).toBe("30");
  await limitPages(1_000_000);
  expect((await service.ann.post("/v1/jobs", large)).status).toBe(202);
  expect((await service.nobody.get("/readyz")).status).toBe(200);
  await service.close();
  rmSync(folder, { recursive: true });
});

/** A database whose connection is bounded as a full disk would. */
function limited(path: string): { dialect: Dialect; limitPages(pages: number): Promise<void> } {
  const dialect = openDialect({ kind: "sqlite", path });
  const driver = dialect.createDriver();
  dialect.createDriver = () => driver;
  return {
    dialect,
    async limitPages(pages) {
      const connection = await driver.acquireConnection();
      await connection.executeQuery(CompiledQuery.raw(`pragma max_page_count = ${pages}`));
    },
  };
}
