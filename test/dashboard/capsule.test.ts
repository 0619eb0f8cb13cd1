// A capsule in the browser, long after its service has gone.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openCapsule, writeCapsule } from "../../src/app/capsule.ts";
import { image, startService } from "../support/service.ts";
import { loaded, show, startBrowser, visit } from "./browser.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

it("a capsule shows its job and run in the operator's page, offline and without a button that changes anything", async () => {
  const folder = mkdtempSync(join(tmpdir(), "proctor-capsule-"));
  const file = join(folder, "job.proctor");
  const service = await startService();
  const failing = image("exit=3 lines=2", { name: "failing" });
  const run = await service.run(failing, { name: "carried home" });
  await writeCapsule({ kind: "sqlite", path: service.database }, run.job_id, file);
  // Service, database and emulator are gone from here on.
  await service.close();
  const before = readFileSync(file);

  const capsule = await openCapsule(file, 0);
  const { page, complaints, strays, close } = await visit(browser, new URL(capsule.url).origin);
  await page.goto(capsule.url);
  await page.reload();
  await page.getByRole("button", { name: "Sign out" }).waitFor();

  await show(page, "jobs");
  await page.getByRole("link", { name: "carried home" }).waitFor();
  await show(page, `jobs/${run.job_id}?tab=runs`);
  await page.getByText("failing").first().waitFor();
  await loaded(page);
  expect(await page.getByRole("button", { name: CHANGES }).count()).toBe(0);

  await show(page, `runs/${run.id}`);
  await page.getByRole("heading", { name: /failing/ }).waitFor();
  await loaded(page);
  expect(await page.getByText("failed").count()).toBeGreaterThan(0);
  expect(await page.getByRole("button", { name: CHANGES }).count()).toBe(0);
  // A page that is changed by hand is refused, too.
  const status = await page.evaluate(
    `fetch("/v1/runs/${run.id}/retry", { method: "POST" }).then(({ status }) => status)`,
  );
  expect(status).toBe(403);

  expect(complaints).toEqual([]);
  expect(strays).toEqual([]);
  await close();
  await capsule.close();
  expect(readFileSync(file).equals(before)).toBe(true);
  rmSync(folder, { recursive: true });
});

const CHANGES = /cancel|retry|delete|abort|stop|rotate/i;
