// Every page of the operator, in a real Chromium against the real service: it shows what it should, complains of
// nothing, and fits a small screen.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { apiKeys, type Service, startService } from "../support/service.ts";
import { startBrowser, type Visit, visitAs } from "./browser.ts";
import { type Demo, demoOptions, seedDemo } from "./demo.ts";
import { open, placesOf } from "./places.ts";

let service: Service;
let browser: Browser;
let demo: Demo;
let visitor: Visit;
let page: Page;

beforeAll(async () => {
  [service, browser] = await Promise.all([startService(demoOptions), startBrowser()]);
  demo = await seedDemo(service);
  visitor = await visitAs(browser, service.url(), apiKeys.admin);
  page = visitor.page;
});
afterAll(async () => {
  await browser.close();
  await service.close();
});

it("shows each page, without a complaint on the console and without a request to anybody else", async () => {
  for (const { place, text } of placesOf(demo)) await open(page, place, text);
  expect(visitor.complaints).toEqual([]);
  expect(visitor.strays).toEqual([]);
});

it("no page is wider than a screen of 360 pixels", async () => {
  const small = await visitAs(browser, service.url(), apiKeys.admin, {
    viewport: { width: 360, height: 740 },
  });
  const wide: string[] = [];
  for (const { place, text } of placesOf(demo)) {
    await open(small.page, place, text);
    const width = await small.page.evaluate<number>("document.documentElement.scrollWidth");
    if (width > 360) wide.push(`#/${place} is ${width} wide`);
  }
  expect(wide).toEqual([]);
  await small.close();
});

it("the keyboard searches, walks the rows and goes from page to page", async () => {
  await open(page, "jobs", "learning-rate sweep");
  await page.keyboard.press("/");
  expect(await page.evaluate("document.activeElement.type")).toBe("search");
  await page.keyboard.press("Escape");
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  const first = await page.locator("main a[data-row]").first().getAttribute("href");
  expect(await page.evaluate("document.activeElement.getAttribute('href')")).toBe(first);
  await page.keyboard.press("Enter");
  await page.waitForURL(`**/${first}`);
  await page.keyboard.press("g");
  await page.keyboard.press("u");
  await page.waitForURL("**/#/usage");
  await page.keyboard.press("?");
  await page.getByRole("complementary", { name: "Keyboard" }).waitFor();
  await page.keyboard.press("Escape");
});

it("filters are part of the address, and going back shows the list as it was", async () => {
  await open(page, "jobs", "learning-rate sweep");
  await page.getByRole("group", { name: "Status" }).getByRole("button", { name: "cancelled" }).click();
  await page.waitForURL("**/#/jobs?status=cancelled");
  await page.getByText("ablation, thrown away").waitFor();
  await page.getByText("learning-rate sweep").waitFor({ state: "detached" });
  await page.reload();
  await page.getByText("ablation, thrown away").click();
  await page.getByRole("heading", { name: "ablation, thrown away" }).waitFor();
  await page.goBack();
  await page.waitForURL("**/#/jobs?status=cancelled");
});

it("the matrix leads from a cell to its run, and rings the best one", async () => {
  await open(page, `jobs/${demo.sweep}?tab=matrix&value=cost`, "Best cost");
  await page.locator(".heat td.best a").click();
  await page.waitForURL("**/#/runs/run_*");
});

it("the log is searched as one types, and shows its colours by classes", async () => {
  await open(page, `runs/${demo.sweepRun}?tab=logs`, "epoch 12");
  expect(await page.locator(".line .fg1").count()).toBeGreaterThan(0);
  await page.getByLabel("Search the log").fill("epoch 40");
  await page.getByText("1 of 42 lines").waitFor();
  expect(await page.locator(".line mark").textContent()).toBe("epoch 40");
});
