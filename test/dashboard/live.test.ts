// The screen follows the service, says when it no longer does, and survives a restart.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { apiKeys, image, type Service, startService } from "../support/service.ts";
import { show, startBrowser, visitAs } from "./browser.ts";

let service: Service;
let browser: Browser;
beforeAll(async () => {
  [service, browser] = await Promise.all([startService(), startBrowser()]);
});
afterAll(async () => {
  await browser.close();
  await service.close();
});

it("a job that is handed in shows up by itself, and its end, too", async () => {
  const { page, complaints, close } = await visitAs(browser, service.url(), apiKeys.admin);
  await page.getByText("No job yet").waitFor();
  await page.locator(".live.live").waitFor();
  const { id } = await service.submit({ name: "fresh", runs: [image("delay=1s")] });
  await page.getByText("fresh").click();
  await page.locator(".head").getByText("succeeded").waitFor();
  await show(page, `jobs/${id}?tab=events`);
  await page.getByText("job.succeeded").waitFor();
  expect(complaints).toEqual([]);
  await close();
});

it("a service that is away is told of with the time since, and taken up again where it was", async () => {
  const { page, complaints, close } = await visitAs(browser, service.url(), apiKeys.admin);
  await page.locator(".live.live").waitFor();
  const { id } = await service.submit({ name: "across a restart", runs: [image("delay=50s")] });
  await show(page, `jobs/${id}`);
  await page.locator(".head").getByText("active").waitFor();
  await service.stop();
  await page
    .getByRole("alert")
    .getByText(/^Not live since \d\d:\d\d:\d\d/)
    .waitFor();
  // The loaded data stays on the screen.
  await page.getByRole("heading", { name: "across a restart" }).waitFor();
  await service.restart();
  await page.locator(".live.live").waitFor();
  await page.getByText(/^Not live since/).waitFor({ state: "detached" });
  await service.ann.post(`/v1/jobs/${id}/cancel`);
  await page.locator(".head").getByText("cancelled").waitFor();
  expect(complaints).toEqual([]);
  await close();
});

it("the log of a run that lives grows on the screen, and becomes the stored one with its end", async () => {
  const { page, complaints, close } = await visitAs(browser, service.url(), apiKeys.admin);
  const { id } = await service.submit({ name: "talks", runs: [image("delay=8s lines=3", { timeout: 60 })] });
  const run = await service.soleRun(id, ({ status }) => status === "active");
  await show(page, `runs/${run.id}?tab=logs`);
  await page.getByText("Live.").waitFor();
  await page.locator(".line").getByText("emulator: line 3").waitFor();
  await page.getByText("Complete.").waitFor();
  await page.locator(".line").getByText("emulator: line 3").waitFor();
  expect(complaints).toEqual([]);
  await close();
});
