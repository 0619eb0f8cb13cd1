// One process on a SQLite file: a second one is refused by name, and a lock goes with its process.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lockDatabase } from "../../src/store/db/sqlite-lock.ts";

const lockModule = new URL("../../src/store/db/sqlite-lock.ts", import.meta.url).href;
let folder: string;
let path: string;
let children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "proctor-lock-"));
  path = join(folder, "proctor.db");
  writeFileSync(path, "");
});

afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  children = [];
  rmSync(folder, { recursive: true, force: true });
});

test("a second process is refused with the id of the process that has the file", async () => {
  const first = await holder();
  const refused = expect.objectContaining({
    name: "DatabaseRefused",
    exitCode: 75,
    message: expect.stringMatching(
      new RegExp(`^DATABASE_URL=sqlite:${path} is in use by process ${first.pid} on \\S+ since 20\\d\\d-`),
    ),
  });
  expect(() => lockDatabase({ kind: "sqlite", path }, 0)).toThrow(refused);
  // A second attempt is refused, too, and the holder keeps its lock.
  expect(() => lockDatabase({ kind: "sqlite", path }, 0)).toThrow(refused);
});

test("the lock ends with its process, even if the process is killed", async () => {
  const first = await holder();
  first.kill("SIGKILL");
  await once(first, "exit");
  const unlock = lockDatabase({ kind: "sqlite", path }, 0);
  const second = await holder({ isRefused: true });
  expect(second.exitCode).not.toBe(0);
  unlock();
  await holder();
});

test("of many processes that start at once one gets the lock", async () => {
  const outcomes = await Promise.all(Array.from({ length: 6 }, () => begin()));
  expect(outcomes.filter(({ isHolder }) => isHolder)).toHaveLength(1);
});

test("a service that is started anew in the same process shares the lock until all are stopped", async () => {
  const unlockFirst = lockDatabase({ kind: "sqlite", path }, 0);
  const unlockSecond = lockDatabase({ kind: "sqlite", path }, 0);
  unlockFirst();
  await holder({ isRefused: true });
  unlockSecond();
  await holder();
});

async function holder({ isRefused = false } = {}): Promise<ChildProcess> {
  const { child, isHolder } = await begin();
  expect(isHolder).toBe(!isRefused);
  return child;
}

/** A process that takes the lock, and keeps it until it is killed. */
async function begin(): Promise<{ child: ChildProcess; isHolder: boolean }> {
  const code = `import { lockDatabase } from ${JSON.stringify(lockModule)};
    lockDatabase({ kind: "sqlite", path: ${JSON.stringify(path)} }, Date.now());
    console.log("locked");
    setInterval(() => {}, 1_000);`;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "--eval", code], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  children.push(child);
  const locked = new Promise<true>((resolve) => {
    if (child.stdout !== null) createInterface({ input: child.stdout }).once("line", () => resolve(true));
  });
  const isHolder = await Promise.race([locked, once(child, "close").then(() => false)]);
  return { child, isHolder };
}
