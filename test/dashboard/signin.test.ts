// Signing in, the actions that each role is offered, and the size of the first view.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { apiKeys, image, type Service, startService } from "../support/service.ts";
import { loaded, show, startBrowser, visit, visitAs } from "./browser.ts";

const oneTimeKey = `once-${"y".repeat(40)}`;

let service: Service;
let browser: Browser;
beforeAll(async () => {
  const surroundings = {
    oneTimeKeys: [{ key: oneTimeKey, name: "admin", expiresAt: Date.now() + 600_000 }],
    resolve: async () => [{ address: "127.0.0.1", family: 4 as const }],
  };
  const settings = { WEBHOOK_ALLOW_PRIVATE: "127.0.0.0/8" };
  [service, browser] = await Promise.all([startService({ settings, surroundings }), startBrowser()]);
});
afterAll(async () => {
  await browser.close();
  await service.close();
});

it("a wrong key is refused in words, and the right one lets in until sign-out", async () => {
  const { page, complaints, close } = await visit(browser, service.url());
  await page.getByLabel("API key").fill("x".repeat(40));
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").getByText("not an API key of this service").waitFor();
  await page.getByLabel("API key").fill(apiKeys.ann);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("No job yet").waitFor();
  expect(await page.evaluate("document.cookie + JSON.stringify(localStorage)")).not.toContain(apiKeys.ann);
  await page.reload();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("API key").waitFor();
  await page.reload();
  await page.getByLabel("API key").waitFor();
  expect(complaints).toEqual([]);
  await close();
});

it("a session that ends elsewhere leads back to the sign-in", async () => {
  const { page, close } = await visitAs(browser, service.url(), apiKeys.ann);
  await page.context().clearCookies();
  await show(page, "usage");
  await page.getByText("The session is over").waitFor();
  await close();
});

it("a one-time link signs in once, and leaves no key in the address", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${service.url()}/#/sign-in/${oneTimeKey}`);
  await page.getByRole("button", { name: "Sign out" }).waitFor();
  expect(page.url()).toBe(`${service.url()}/#/`);
  await context.close();
  const other = await (await browser.newContext()).newPage();
  await other.goto(`${service.url()}/#/sign-in/${oneTimeKey}`);
  await other.getByText("a link that was already used").waitFor();
  await other.context().close();
});

it("a reader is offered nothing that a reader may not do", async () => {
  const { id } = await service.submit({ name: "long", runs: [image("delay=50s"), image("exit=1")] });
  const [live, failed] = await service.runsOf(id);
  await service.runAt(id, 1, ({ status }) => status === "failed");
  const webhook = await service.admin.post("/v1/webhooks", {
    url: "https://worker.example.com/hook",
    types: ["job.*"],
  });
  const offers = async (key: string) => {
    const { page, close } = await visitAs(browser, service.url(), key);
    const found: string[] = [];
    for (const place of [
      `jobs/${id}`,
      `runs/${live?.id}`,
      `runs/${failed?.id}`,
      `webhooks/${webhook.body.id}`,
    ]) {
      await show(page, place);
      await page.getByText(place.split("/")[1] ?? "").waitFor();
      await loaded(page);
      for (const name of ["Cancel", "Abort", "Stop", "Retry", "Retry 1 failed run", "Rotate secret"])
        if (await page.locator("main").getByRole("button", { name, exact: true }).count()) found.push(name);
    }
    await close();
    return found;
  };
  expect(await offers(apiKeys.reader)).toEqual([]);
  expect(await offers(apiKeys.admin)).toEqual([
    "Cancel",
    "Retry 1 failed run",
    "Abort",
    "Stop",
    "Retry",
    "Rotate secret",
  ]);
});

it("what is asked for is done: a job is cancelled after one more question", async () => {
  const { id } = await service.submit({ name: "to be cancelled", runs: [image("delay=50s")] });
  const { page, close } = await visitAs(browser, service.url(), apiKeys.admin);
  await show(page, `jobs/${id}`);
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByText("Cancel 1 run?").waitFor();
  await page.getByRole("button", { name: "Keep" }).click();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("group", { name: "Cancel 1 run?" }).getByRole("button", { name: "Cancel" }).click();
  await page.locator(".head").getByText("cancelled").waitFor();
  await close();
});

it("the first view weighs at most 100 kB as it is sent", async () => {
  const context = await browser.newContext({ locale: "en-GB" });
  const page = await context.newPage();
  const tracer = await context.newCDPSession(page);
  await tracer.send("Network.enable");
  let bytes = 0;
  tracer.on("Network.loadingFinished", ({ encodedDataLength }) => {
    bytes += encodedDataLength;
  });
  await page.goto(`${service.url()}/`);
  await page.getByLabel("API key").fill(apiKeys.admin);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("Latest jobs").waitFor();
  expect(bytes).toBeGreaterThan(10_000);
  expect(bytes).toBeLessThan(100_000);
  await context.close();
});
