// A real Chromium for the operator's page. Whatever the page complains of on its console, and each breach of its policy,
// is kept, and a test that looks for it fails.
import chromiumBinary from "@sparticuz/chromium";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { expect } from "vitest";

/** The package's own arguments contain --single-process, with which closing a page ends the browser. */
const args = ["--no-sandbox", "--disable-dev-shm-usage"];

export async function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: await chromiumBinary.executablePath(), args, headless: true });
}

export interface Visit {
  page: Page;
  /** Errors of the console, exceptions, and breaches of the policy. */
  complaints: string[];
  /** Requests to another origin. */
  strays: string[];
  close(): Promise<void>;
}

/** A browser of its own as far as cookies go. */
export async function visit(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const context = await browser.newContext({
    locale: "en-GB",
    timezoneId: "UTC",
    viewport: { width: 1280, height: 800 },
    ...options,
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  const strays: string[] = [];
  page.on("console", (message) => {
    // A refused request is written there by the browser itself; pages show such answers.
    const isAnswer = message.text().startsWith("Failed to load resource");
    if (message.type() === "error" && !isAnswer) complaints.push(message.text());
  });
  page.on("pageerror", (error) => void complaints.push(String(error)));
  page.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol.startsWith("http") && origin !== new URL(url).origin) strays.push(request.url());
  });
  await page.goto(`${url}/`);
  return { page, complaints, strays, close: () => context.close() };
}

/** The same, signed in by the form as a person would. */
export async function visitAs(
  browser: Browser,
  url: string,
  key: string,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const visitor = await visit(browser, url, options);
  await visitor.page.getByLabel("API key").fill(key);
  await visitor.page.getByRole("button", { name: "Sign in" }).click();
  await visitor.page.getByRole("button", { name: "Sign out" }).waitFor();
  return visitor;
}

export async function show(page: Page, place: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(`#/${place}`)}`);
}

/** Several parts of a page load at the same time. */
export async function loaded(page: Page): Promise<void> {
  await expect.poll(() => page.locator(".loading").count(), { timeout: 30_000 }).toBe(0);
}
