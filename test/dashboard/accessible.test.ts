// The operator's page leaves nobody out, as far as a machine can tell.
import { AxeBuilder } from "@axe-core/playwright";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { apiKeys, type Service, startService } from "../support/service.ts";
import { startBrowser, visit, visitAs } from "./browser.ts";
import { type Demo, demoOptions, seedDemo } from "./demo.ts";
import { open, placesOf } from "./places.ts";

let service: Service;
let browser: Browser;
let demo: Demo;
beforeAll(async () => {
  [service, browser] = await Promise.all([startService(demoOptions), startBrowser()]);
  demo = await seedDemo(service);
});
afterAll(async () => {
  await browser.close();
  await service.close();
});

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

it("no page breaks a rule of WCAG 2.1 AA", async () => {
  const { page } = await visitAs(browser, service.url(), apiKeys.admin);
  const found: string[] = [];
  for (const { place, text } of placesOf(demo)) {
    await open(page, place, text);
    for (const violation of await violationsOf(page)) found.push(`#/${place}: ${violation}`);
  }
  expect(found).toEqual([]);
});

it("dark colours stand out from each other as light ones do", async () => {
  const { page } = await visitAs(browser, service.url(), apiKeys.admin, { colorScheme: "dark" });
  const found: string[] = [];
  for (const { place, text } of placesOf(demo).filter(({ isDistinct }) => isDistinct)) {
    await open(page, place, text);
    for (const violation of await violationsOf(page, ["color-contrast"]))
      found.push(`#/${place}: ${violation}`);
  }
  expect(found).toEqual([]);
});

it("the way in breaks no rule either", async () => {
  const { page } = await visit(browser, service.url());
  await page.getByLabel("API key").waitFor();
  expect(await violationsOf(page)).toEqual([]);
});
