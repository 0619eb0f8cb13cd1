// Capsules: everything of one finished job in one SQLite file, which the dashboard shows without a service.
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Config, readConfig } from "../config.ts";
import { hideSecretsOf } from "../http/views/spec.ts";
import { systemClock } from "../lib/clock.ts";
import { DatabaseRefused } from "../lib/database-error.ts";
import { idSource } from "../lib/id.ts";
import { copyDatabase, removeDatabase } from "../store/backup/copy.ts";
import { copyJob } from "../store/capsule.ts";
import type { Db } from "../store/db/transaction.ts";
import { listJobs } from "../store/job-list.ts";
import { findJob } from "../store/jobs.ts";
import { openStore } from "../store/store.ts";
import { createParts } from "./context.ts";
import { exportJob } from "./export-job.ts";
import { createHttp } from "./http.ts";
import { createWorkers } from "./workers.ts";

const storeAt = (database: Config["database"]) => openStore(database, systemClock, idSource(systemClock));

/** As lines of JSON. @param jobIds empty: all jobs. @throws DatabaseRefused for an unknown job */
export async function exportJobs(
  database: Config["database"],
  jobIds: readonly string[],
  write: (piece: string) => Promise<void>,
): Promise<void> {
  const store = storeAt(database);
  try {
    for await (const job of jobIds.length > 0 ? named(store.db, jobIds) : allJobs(store.db))
      for await (const piece of exportJob(store.db, job)) await write(piece);
  } finally {
    await store.close();
  }
}

async function* named(db: Db, jobIds: readonly string[]) {
  for (const id of jobIds) yield await jobNamed(db, id);
}

async function* allJobs(db: Db) {
  for (let before: string | undefined; ; ) {
    const { rows, next } = await listJobs(db, { before }, 100);
    yield* rows;
    if (next === null) return;
    before = String(next);
  }
}

async function jobNamed(db: Db, id: string) {
  const job = await findJob(db, id);
  if (job === null) throw new DatabaseRefused(78, `the database has no job ${id}`);
  return job;
}

/** @throws DatabaseRefused if the job is unknown or has not ended, or the file exists */
export async function writeCapsule(database: Config["database"], jobId: string, file: string): Promise<void> {
  if (existsSync(file)) throw new DatabaseRefused(78, `${file} exists already`);
  const source = storeAt(database);
  const part = `${file}.part`;
  removeDatabase(part);
  const capsule = storeAt({ kind: "sqlite", path: part });
  try {
    const job = await jobNamed(source.db, jobId);
    if (job.ended_at === null) throw new DatabaseRefused(78, `${jobId} has not ended`);
    await capsule.migrate();
    await capsule.write((tx) => copyJob(source.db, tx.db, job, hideSecretsOf));
    await capsule.close();
    await copyDatabase(part, `${part}.whole`);
    renameSync(`${part}.whole`, file);
  } finally {
    await Promise.all([source.close(), capsule.close().catch(() => {})]);
    removeDatabase(part);
  }
}

/** On loopback, to readers alone. No worker runs, Lyceum is never asked, and a copy of the file is opened. */
export async function openCapsule(
  file: string,
  port: number,
): Promise<{ url: string; close(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), "proctor-capsule-"));
  const copy = join(folder, "capsule.db");
  try {
    await copyDatabase(file, copy);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  const oneTimeKey = randomBytes(24).toString("hex");
  const parts = createParts(configOf(copy, port), {
    oneTimeKeys: [{ key: oneTimeKey, name: "viewer", expiresAt: systemClock.now() + LINK_LASTS_MS }],
    fetch: () => Promise.reject(new Error("a capsule asks Lyceum nothing")),
  });
  const { store } = parts.context;
  await store.migrate();
  const { feedLoop, feed, listeners } = createHttp(parts, createWorkers(parts));
  const opened = await listeners.open();
  parts.state.isAccepting = true;
  feedLoop.start();
  return {
    url: `http://127.0.0.1:${opened}/#/sign-in/${oneTimeKey}`,
    async close() {
      await feedLoop.stop();
      feed.close();
      await listeners.close();
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const LINK_LASTS_MS = 60 * 60_000;

function configOf(path: string, port: number): Config {
  const result = readConfig({
    LYCEUM_BASE_URL: "http://127.0.0.1:9",
    LYCEUM_API_KEY: "lk_capsule",
    API_KEYS: `viewer:${randomBytes(32).toString("hex")}:read`,
    DATABASE_URL: `sqlite:${path}`,
    HOST: "127.0.0.1",
    PORT: String(port),
    LOG_LEVEL: "silent",
  });
  if (!result.ok) throw new Error(`the settings of a capsule are wrong: ${JSON.stringify(result.problems)}`);
  return result.config;
}
