// A job of ten thousand runs, and texts that would like to be more than texts.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { apiKeys, image, startService } from "../support/service.ts";
import { loaded, show, startBrowser, visitAs } from "./browser.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

const values = (count: number) => Array.from({ length: count }, (_, index) => String(index));

it("ten thousand runs are drawn as one picture, and of their table only what is in sight exists", async () => {
  await using service = await startService();
  service.network.lyceumIsUp = false;
  const { id } = await service.submit({
    name: "ten thousand",
    runs: [{ ...image(), name: "cell", matrix: { X: values(100), Y: values(100) } }],
  });
  const { page, complaints, close } = await visitAs(browser, service.url(), apiKeys.admin);
  await show(page, `jobs/${id}`);
  await page.getByRole("application", { name: /^10000 runs/ }).waitFor();
  const box = await page.locator("canvas").boundingBox();
  await page.mouse.move((box?.x ?? 0) + 3, (box?.y ?? 0) + 3);
  await page.getByText("cell X=0 Y=0").waitFor();
  await page.locator("canvas").focus();
  await page.keyboard.press("ArrowRight");
  await page.getByText("cell X=0 Y=1").waitFor();

  await show(page, `jobs/${id}?tab=runs`);
  await page.getByText("cell X=0 Y=0").waitFor();
  expect(await page.locator("main tbody tr").count()).toBeLessThan(200);
  await page.evaluate("document.querySelector('.tablebox.many').scrollTop = 1e9");
  await page.getByText("cell X=99 Y=99").waitFor();
  await page.getByLabel("Find runs").fill("x=42 y=42");
  await page.getByText("cell X=42 Y=42").waitFor();
  expect(await page.locator("main tbody tr").count()).toBe(1);

  await show(page, `jobs/${id}?tab=timeline`);
  await page.getByRole("list", { name: "10,000 runs over time" }).waitFor();
  expect(await page.locator(".lanes .lane").count()).toBeLessThan(200);
  await page.evaluate("document.querySelector('.lanes.many').scrollTop = 1e9");
  await page.getByText("cell X=99 Y=99").waitFor();

  await show(page, `jobs/${id}?tab=matrix`);
  await page.getByRole("img", { name: /^100 values of X across, 100 of Y down/ }).waitFor();
  expect(await page.locator("main canvas").count()).toBe(1);
  expect(complaints).toEqual([]);
  await close();
});

it("a longer list comes without taking away the shorter one", async () => {
  await using service = await startService();
  service.network.lyceumIsUp = false;
  for (let index = 0; index < 120; index++) await service.submit({ name: `job ${index}`, runs: [image()] });
  const { page, close } = await visitAs(browser, service.url(), apiKeys.admin);
  await show(page, "jobs");
  const rows = page.locator("main tbody tr");
  await expect.poll(() => rows.count()).toBe(100);
  await page.evaluate("globalThis.first = document.querySelector('main tbody tr')");
  await page.getByRole("button", { name: "Show more" }).click();
  await expect.poll(() => rows.count()).toBe(120);
  expect(await page.evaluate("globalThis.first.isConnected")).toBe(true);
  await close();
});

it("markup in names, values, logs, errors and metadata is shown as the text that it is", async () => {
  await using service = await startService();
  const evil = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`;
  const long = "\u001b]8;;javascript:alert(1)\u0007link\u001b]8;;\u0007";
  const { id } = await service.submit({
    name: evil.slice(0, 120),
    metadata: { note: evil },
    runs: [
      {
        kind: "python",
        name: evil.slice(0, 120),
        code: `import os, sys\nprint(os.environ["HTML"])\nprint(${JSON.stringify(long)})\nprint(os.environ["HTML"], file=sys.stderr)\nsys.exit(3)\n`,
        matrix: { HTML: [evil, `"'>${evil}`] },
      },
    ],
  });
  const [run] = await service.ended(id);
  const { page, complaints, strays, close } = await visitAs(browser, service.url(), apiKeys.admin);
  const places = [
    "",
    "jobs",
    `jobs/${id}`,
    ...["matrix", "timeline", "runs", "events", "about"].map((tab) => `jobs/${id}?tab=${tab}`),
  ];
  const ofRun = ["output", "logs", "gpu", "callbacks", "events"].map((tab) => `runs/${run?.id}?tab=${tab}`);
  for (const place of [...places, ...ofRun]) {
    await show(page, place);
    await page.locator("main h1").waitFor();
    await loaded(page);
    expect(await page.locator("main img, main script, main a[href^='javascript']").count()).toBe(0);
  }
  await show(page, `runs/${run?.id}?tab=logs`);
  await page.locator(".line").getByText("onerror").first().waitFor();
  expect(await page.title()).not.toBe("owned");
  expect(await page.locator(".lines").textContent()).not.toContain("javascript:alert");
  expect(complaints).toEqual([]);
  expect(strays).toEqual([]);
  await close();
});
