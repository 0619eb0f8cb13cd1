// Every page of the operator, in a real Chromium against the real service: it shows what it should, complains of
// nothing, leaves nobody out, and fits a small screen.
import { AxeBuilder } from "@axe-core/playwright";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { apiKeys, type RunView, type Service, startService } from "../support/service.ts";
import { show, startBrowser, type Visit, visitAs } from "./browser.ts";
import { type Demo, demoOptions, seedDemo } from "./demo.ts";

let service: Service;
let browser: Browser;
let demo: Demo;
let visitor: Visit;
let page: Page;
let sweepRun: RunView;
let failedRuns: RunView[];

beforeAll(async () => {
  [service, browser] = await Promise.all([startService(demoOptions), startBrowser()]);
  demo = await seedDemo(service);
  [sweepRun] = (await service.runsOf(demo.sweep)) as [RunView];
  failedRuns = await service.runsOf(demo.failed);
  visitor = await visitAs(browser, service.url(), apiKeys.admin);
  page = visitor.page;
});
afterAll(async () => {
  await browser.close();
  await service.close();
});

/** Each page, and a text that it shows once it has read everything. */
function places(): [place: string, text: string | RegExp][] {
  const retried = failedRuns.find(({ attempts }) => attempts === 3)?.id;
  const report = failedRuns.find(({ name }) => name === "report")?.id;
  return [
    ["", "Latest jobs"],
    ["jobs", "learning-rate sweep"],
    ["jobs?status=failed", "nightly evaluation"],
    ["jobs?name=nothing", "No job matches"],
    [`jobs/${demo.live}`, "fine-tune llama on the support tickets"],
    [`jobs/${demo.sweep}?tab=matrix`, "Best duration"],
    [`jobs/${demo.failed}?tab=timeline`, "shard-3"],
    [`jobs/${demo.failed}?tab=runs&status=failed`, "system failure"],
    [`jobs/${demo.failed}?tab=events`, "job.failed"],
    [`jobs/${demo.failed}?tab=deliveries`, "job.failed"],
    [`jobs/${demo.sweep}?tab=about`, "V-1842"],
    [`runs/${retried}`, "attempt 3"],
    [`runs/${report}`, "ModuleNotFoundError"],
    [`runs/${sweepRun.id}?tab=logs`, "epoch 12"],
    [`runs/${sweepRun.id}?tab=gpu`, "Temperature"],
    [`runs/${sweepRun.id}?tab=callbacks`, "received"],
    [`runs/${sweepRun.id}?tab=events`, "run.succeeded"],
    ["callbacks", "Health"],
    ["webhooks", "worker.example.com"],
    [`webhooks/${demo.webhook}`, "job.failed"],
    ["usage", "Credits per day"],
    ["system", "Backlog"],
    ["nowhere", "There is no such page"],
  ];
}

async function open(at: Page, place: string, text: string | RegExp): Promise<void> {
  await show(at, place);
  await at.locator("main").getByText(text).first().waitFor({ timeout: 15_000 });
}

/**
 * Without frames there is nothing for which a page of its own would be opened, which is what the legacy mode leaves out.
 * @param rules these alone; without them, all of WCAG 2.1 AA that a machine can check
 */
async function violationsOf(at: Page, rules: string[] = []): Promise<string[]> {
  const axe = new AxeBuilder({ page: at }).setLegacyMode(true);
  const chosen =
    rules.length > 0 ? axe.withRules(rules) : axe.withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]);
  const { violations } = await chosen.analyze();
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`));
}

it("shows each page, without a complaint on the console and without a request to anybody else", async () => {
  for (const [place, text] of places()) await open(page, place, text);
  expect(visitor.complaints).toEqual([]);
  expect(visitor.strays).toEqual([]);
});

describe.each([
  { colorScheme: "light", rules: [] },
  // Another scheme changes colours alone.
  { colorScheme: "dark", rules: ["color-contrast", "link-in-text-block"] },
] as const)("in $colorScheme colours", ({ colorScheme, rules }) => {
  it("no page breaks a rule of WCAG 2.1 AA that a machine can check", async () => {
    const other = await visitAs(browser, service.url(), apiKeys.admin, { colorScheme });
    const found: string[] = [];
    for (const [place, text] of places()) {
      await open(other.page, place, text);
      for (const violation of await violationsOf(other.page, [...rules]))
        found.push(`#/${place}: ${violation}`);
    }
    expect(found).toEqual([]);
    await other.close();
  });
});

it("no page is wider than a screen of 360 pixels", async () => {
  const small = await visitAs(browser, service.url(), apiKeys.admin, {
    viewport: { width: 360, height: 740 },
  });
  const wide: string[] = [];
  for (const [place, text] of places()) {
    await open(small.page, place, text);
    const width = await small.page.evaluate<number>("document.documentElement.scrollWidth");
    if (width > 360) wide.push(`#/${place} is ${width} wide`);
  }
  expect(wide).toEqual([]);
  await small.close();
});

it("the way in breaks no rule either", async () => {
  const context = await browser.newContext();
  const fresh = await context.newPage();
  await fresh.goto(`${service.url()}/`);
  await fresh.getByLabel("API key").waitFor();
  expect(await violationsOf(fresh)).toEqual([]);
  await context.close();
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
  await open(page, `runs/${sweepRun.id}?tab=logs`, "epoch 12");
  expect(await page.locator(".line .fg1").count()).toBeGreaterThan(0);
  await page.getByLabel("Search the log").fill("epoch 40");
  await page.getByText("1 of 42 lines").waitFor();
  expect(await page.locator(".line mark").textContent()).toBe("epoch 40");
});
