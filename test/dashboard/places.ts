// The places of the operator's page that the tests visit.
import type { Page } from "playwright-core";
import { show } from "./browser.ts";
import type { Demo } from "./demo.ts";

export interface Place {
  place: string;
  /** Shown once everything is read. */
  text: string;
  /** True for a page with a look of its own: such a page is checked in both colour schemes. */
  isDistinct?: true;
}

export function placesOf(demo: Demo): Place[] {
  return [
    { place: "", text: "From the end to our knowledge", isDistinct: true },
    { place: "jobs", text: "learning-rate sweep" },
    { place: "jobs?status=failed", text: "nightly evaluation" },
    { place: "jobs?name=nothing", text: "No job matches" },
    { place: `jobs/${demo.live}`, text: "fine-tune llama on the support tickets", isDistinct: true },
    { place: `jobs/${demo.sweep}?tab=matrix`, text: "Best duration", isDistinct: true },
    { place: `jobs/${demo.failed}?tab=timeline`, text: "shard-3", isDistinct: true },
    { place: `jobs/${demo.failed}?tab=runs&status=failed`, text: "system failure", isDistinct: true },
    { place: `jobs/${demo.failed}?tab=deliveries`, text: "job.failed" },
    { place: `jobs/${demo.sweep}?tab=about`, text: "V-1842" },
    { place: `runs/${demo.retriedRun}`, text: "attempt 3", isDistinct: true },
    { place: `runs/${demo.reportRun}`, text: "ModuleNotFoundError" },
    { place: `runs/${demo.sweepRun}?tab=logs`, text: "epoch 12", isDistinct: true },
    { place: `runs/${demo.sweepRun}?tab=gpu`, text: "Temperature" },
    { place: `runs/${demo.sweepRun}?tab=callbacks`, text: "received" },
    { place: `runs/${demo.sweepRun}?tab=events`, text: "run.succeeded" },
    { place: `runs/${demo.sweepRun}?tab=spec`, text: "os.environ" },
    { place: "callbacks", text: "Inbox" },
    { place: "callbacks?disposition=duplicate", text: "No callback came" },
    { place: "webhooks", text: "worker.example.com", isDistinct: true },
    { place: `webhooks/${demo.webhook}`, text: "job.failed" },
    { place: "usage", text: "anew" },
    { place: "system", text: "POLL_INTERVAL_MAX", isDistinct: true },
    { place: "runs?status=failed", text: "module not found" },
    { place: "nowhere", text: "There is no such page" },
  ];
}

export async function open(page: Page, place: string, text: string): Promise<void> {
  await show(page, place);
  await page.locator("main").getByText(text).first().waitFor();
}
