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

it("every page is shown without a complaint on the console and without a request to another origin", async () => {
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

it("chips say how many jobs they would show", async () => {
  await open(page, "jobs", "learning-rate sweep");
  const chips = page.getByRole("group", { name: "Status" });
  await chips.getByRole("button", { name: "cancelled 1" }).waitFor();
  await chips.getByRole("button", { name: "active 2" }).waitFor();
});

it("budgets, quotas and the service's own checks are shown", async () => {
  await open(page, "usage", "runs per 24 h");
  await page.getByRole("img", { name: /^budget of ann: [\d.]+ of 0.50$/ }).waitFor();
  await open(page, "system", "write-ahead log");
});

it("a callback and a check that are chosen in the waterfall are told beside it", async () => {
  await open(page, `runs/${demo.retriedRun}`, "attempt 3");
  await page.locator(".marker.callback").first().click();
  const details = page.locator(".details");
  await details.getByText("system_failure").waitFor();
  await page.locator(".marker.check").last().click();
  await details.getByText("After the end").waitFor();
  await page.getByRole("button", { name: "attempt 1" }).click();
  await details.getByText("Request").click();
  await details.getByText("ghcr.io/team/train:7").waitFor();
});

it("a stretch that is drawn over one chart of a run is shown by all, and a double click ends it", async () => {
  // The runs of the demo are too short for a stretch.
  const series = Array.from({ length: 60 }, (_, index) => ({
    timestamp: new Date(index * 1_000).toISOString(),
    value: 50 + 40 * Math.sin(index),
  }));
  await page.route("**/metrics?step=1s", async (route) => {
    const answer = await route.fetch();
    const json = await answer.json();
    const document = { gpuUtilizationPercent: series, gpuTemperatureCelsius: series };
    await route.fulfill({ response: answer, json: { ...json, document } });
  });
  await open(page, `runs/${demo.sweepRun}?tab=gpu&step=1s`, "Temperature");
  const plots = page.locator(".plot canvas");
  const pictures = async () => Promise.all((await plots.all()).map((plot) => plot.screenshot()));
  const all = await pictures();
  expect(all.length).toBeGreaterThan(1);
  const box = await page.locator(".plot").first().boundingBox();
  const at = (share: number): [number, number] => [
    (box?.x ?? 0) + (box?.width ?? 0) * share,
    (box?.y ?? 0) + 40,
  ];
  await page.mouse.move(...at(0.4));
  await page.mouse.down();
  await page.mouse.move(...at(0.7), { steps: 4 });
  await page.mouse.up();
  await page.mouse.move(0, 0);
  await expect
    .poll(async () => (await pictures()).filter((one, index) => all[index]?.equals(one)).length)
    .toBe(0);
  await page.mouse.dblclick(...at(0.5));
  await page.mouse.move(0, 0);
  await expect.poll(async () => (await pictures()).every((one, index) => all[index]?.equals(one))).toBe(true);
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
