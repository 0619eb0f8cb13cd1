// The client as its package holds it for browsers, in a real Chromium on a page of the service's own origin: the API
// answers no other origin.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { apiKeys, type Service, startService } from "../support/service.ts";
import { startBrowser } from "./browser.ts";

const build = fileURLToPath(new URL("../../packages/client/build.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "proctor-browser-client-"));

let service: Service;
let browser: Browser;
beforeAll(async () => {
  await promisify(execFile)(process.execPath, [build, folder]);
  [service, browser] = await Promise.all([startService(), startBrowser()]);
});
afterAll(async () => {
  await browser.close();
  await service.close();
  rmSync(folder, { recursive: true });
});

it("the built modules submit a job in a browser, follow its events and read what it left", async () => {
  const page = await (await browser.newContext()).newPage();
  await page.route("**/test/**", (route) => {
    const [, path = ""] = new URL(route.request().url()).pathname.split("/test/");
    return path === ""
      ? route.fulfill({ contentType: "text/html", body: "<!doctype html><title>test</title>" })
      : route.fulfill({
          contentType: "text/javascript",
          body: readFileSync(join(folder, "esm", path), "utf8"),
        });
  });
  await page.goto(`${service.url()}/test/`);
  const told = await page.evaluate(`(async () => {
    const { createClient } = await import("/test/client/client.js");
    const proctor = createClient({ url: location.origin, apiKey: ${JSON.stringify(apiKeys.ann)} });
    const { id } = await proctor.submit({ runs: [{ kind: "python", code: "print(6 * 7)" }] });
    const types = [];
    for await (const { type } of proctor.events(id)) types.push(type);
    const job = await proctor.wait(id);
    const [row] = await Array.fromAsync(proctor.results(id));
    const { stdout } = await proctor.output(row.run_id);
    const refusal = await proctor.job("job_unknown").catch(({ status }) => status);
    return { status: job.status, types, stdout, refusal };
  })()`);
  expect(told).toMatchObject({ status: "succeeded", stdout: "42\n", refusal: 404 });
  expect((told as { types: string[] }).types).toEqual(
    expect.arrayContaining(["job.created", "run.succeeded", "job.succeeded"]),
  );
});
