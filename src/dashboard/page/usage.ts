// Shows the credits spent by day, by key and by hardware, with the budgets of keys.
import type { Usage } from "../../client/client.ts";
import { api } from "../api.ts";
import { count, credits, duration, percent } from "../format.ts";
import { h, html } from "../html.ts";
import { useLoad } from "../load.ts";
import { place, setQuery } from "../router.ts";
import { Choice, Facts, title } from "../view/parts.ts";
import { empty, shown } from "../view/state.ts";
import { DailyCost } from "./daily-cost.ts";
import { HardwarePanel } from "./hardware.ts";
import { KeysPanel } from "./keys.ts";

const spans = ["7", "30", "90"];
const DAY_MS = 86_400_000;

/** The first of so many days, of which today is the last. */
export function firstDay(days: number): string {
  return new Date(Date.now() - (days - 1) * DAY_MS).toISOString().slice(0, 10);
}

export function UsagePage() {
  title("Usage");
  const days = Number(place.value.query.get("days") ?? 30);
  const from = firstDay(days);
  const [loaded, reload] = useLoad(
    `usage ${from}`,
    async (signal) => {
      const [byDay, byKey, byHardware, machines] = await Promise.all([
        api.usage({ from, group: "day" }, { signal }),
        api.usage({ from, group: "key" }, { signal }),
        api.usage({ from, group: "hardware" }, { signal }),
        api.machineTypes({ signal }),
      ]);
      return { byDay, byKey, byHardware, machines };
    },
    { everyMs: 30_000 },
  );
  return html`<div class="page">
    <h1>Usage</h1>
    <div class="filters">${h(Choice, { label: "Days", value: String(days), options: spans.map((value) => ({ value, label: value })), onChange: (value) => setQuery({ days: value }) })}</div>
    ${shown(
      loaded,
      reload,
      ({ byDay, byKey, byHardware, machines }) => html`<div class="stack">
      ${h(Totals, { usage: byDay, byHardware })}
      ${byDay.data.length === 0 ? empty("Nothing was spent in these days") : h(DailyCost, { from, byDay, keys: keysOf(byKey) })}
      ${h(KeysPanel, { from })}
      ${h(HardwarePanel, { usage: byHardware, machines })}
    </div>`,
    )}
  </div>`;
}

function keysOf({ data }: Usage): string[] {
  return data.toSorted((a, b) => b.cost.total - a.cost.total).flatMap(({ key }) => key ?? []);
}

function Totals({ usage: { total }, byHardware }: { usage: Usage; byHardware: Usage }) {
  const idle = byHardware.data.reduce((sum, { idle_gpu }) => sum + (idle_gpu?.cost ?? 0), 0);
  return h(Facts, {
    facts: [
      { name: "Cost", value: credits(total.cost.total) },
      { name: "Billed", value: credits(total.cost.billed) },
      { name: "Not billed yet", value: credits(total.cost.estimated) },
      {
        name: "For idle GPUs",
        value: html`<span>${credits(idle)}${idle > 0 && html` <small>${percent(idle / total.cost.total)}</small>`}</span>`,
      },
      { name: "Without a known cost", value: count(total.cost.unpriced) },
      { name: "Executions", value: count(total.executions) },
      { name: "Compute", value: duration(total.duration_ms) },
    ],
  });
}
