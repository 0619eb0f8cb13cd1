// Pictures of the main pages in light and dark, for the documentation, made from the demo.
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "vitest";
import { apiKeys, image, startService } from "../support/service.ts";
import { show, startBrowser, visitAs } from "./browser.ts";
import { demoOptions, seedDemo } from "./demo.ts";

const folder = fileURLToPath(new URL("../../docs/screenshots/", import.meta.url));

test("screenshots", async () => {
  mkdirSync(folder, { recursive: true });
  await using service = await startService(demoOptions);
  // Long enough for curves: Lyceum's samples are a second apart.
  const training = image("delay=45s", { name: "resnet-50", execution_type: "gpu.h100", timeout: 300 });
  const long = await service.submit({ name: "train resnet-50", runs: [training] });
  const demo = await seedDemo(service);
  const [trained] = await service.ended(long.id);
  const pages: [name: string, place: string, text: string][] = [
    ["overview", "", "Latest jobs"],
    ["jobs", "jobs", "learning-rate sweep"],
    ["grid", `jobs/${demo.live}`, "fine-tune llama"],
    ["matrix", `jobs/${demo.sweep}?tab=matrix`, "Best duration"],
    ["timeline", `jobs/${demo.failed}?tab=timeline`, "shard-3"],
    ["run", `runs/${demo.retriedRun}`, "attempt 3"],
    ["log", `runs/${demo.sweepRun}?tab=logs`, "epoch 12"],
    ["gpu", `runs/${trained?.id}?tab=gpu&step=1s`, "Temperature"],
    ["usage", "usage", "Credits per day"],
    ["system", "system", "Backlog"],
  ];
  const browser = await startBrowser();
  for (const colorScheme of ["light", "dark"] as const) {
    const { page, close } = await visitAs(browser, service.url(), apiKeys.admin, { colorScheme });
    for (const [name, place, text] of pages) {
      await show(page, place);
      await page.locator("main").getByText(text).first().waitFor();
      await page.waitForLoadState("networkidle", { timeout: 1_500 }).catch(() => {});
      await page.mouse.move(0, 0);
      await page.screenshot({ path: `${folder}${name}-${colorScheme}.png` });
    }
    await close();
  }
  await browser.close();
});
