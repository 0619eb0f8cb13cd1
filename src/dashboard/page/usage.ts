// Shows the credits spent by day, by key and by hardware.
import type { MachineTypes, Usage } from "../../client/client.ts";
import { api } from "../api.ts";
import { count, credits, duration } from "../format.ts";
import { h, html } from "../html.ts";
import { useLoad } from "../load.ts";
import { place, setQuery } from "../router.ts";
import { Choice, Facts, Panel, title } from "../view/parts.ts";
import { empty, shown } from "../view/state.ts";
import { type Column, Table } from "../view/table.ts";
import { DailyCost } from "./daily-cost.ts";

function keysOf({ data }: Usage): string[] {
  return data.toSorted((a, b) => b.cost.total - a.cost.total).flatMap(({ key }) => key ?? []);
}

type Row = Usage["data"][number];
type Machine = MachineTypes["data"][number];

const spans = ["7", "30", "90"];

export function UsagePage() {
  title("Usage");
  const days = Number(place.value.query.get("days") ?? 30);
  const from = new Date(Date.now() - (days - 1) * 86_400_000).toISOString().slice(0, 10);
  const [loaded, reload] = useLoad(
    `usage ${from}`,
    async (signal) => {
      const [byDay, byKey, machines] = await Promise.all([
        api.usage({ from, group: "day" }, { signal }),
        api.usage({ from, group: "key" }, { signal }),
        api.machineTypes({ signal }),
      ]);
      return { byDay, byKey, machines };
    },
    { everyMs: 30_000 },
  );
  return html`<div class="page">
    <h1>Usage</h1>
    <div class="filters">${h(Choice, { label: "Days", value: String(days), options: spans.map((value) => ({ value, label: value })), onChange: (value) => setQuery({ days: value }) })}</div>
    ${shown(
      loaded,
      reload,
      ({ byDay, byKey, machines }) => html`<div class="stack">
      ${h(Totals, { usage: byDay })}
      ${byDay.data.length === 0 ? empty("Nothing was spent in these days") : h(DailyCost, { from, byDay, keys: keysOf(byKey) })}
      <div class="columns">
        ${h(Panel, { title: "By key", children: h(Table<Row>, { label: "Cost by key", columns, rows: byKey.data, keyOf: ({ key }) => key ?? "" }) })}
        ${h(Panel, { title: "Hardware", children: h(Table<Machine>, { label: "Hardware", columns: hardware, rows: machines.data, keyOf: ({ hardware_profile }) => hardware_profile }) })}
      </div>
    </div>`,
    )}
  </div>`;
}

const columns: Column<Row>[] = [
  { title: "Key", by: ({ key }) => key ?? "", show: ({ key }) => key },
  { title: "Cost", numeric: true, by: ({ cost }) => cost.total, show: ({ cost }) => credits(cost.total) },
  {
    title: "Not billed yet",
    numeric: true,
    minor: true,
    by: ({ cost }) => cost.estimated,
    show: ({ cost }) => credits(cost.estimated),
  },
  {
    title: "Executions",
    numeric: true,
    by: ({ executions }) => executions,
    show: ({ executions }) => count(executions),
  },
  {
    title: "Compute",
    numeric: true,
    by: ({ duration_ms }) => duration_ms,
    show: ({ duration_ms }) => duration(duration_ms),
  },
];

const hardware: Column<Machine>[] = [
  {
    title: "Profile",
    by: ({ hardware_profile }) => hardware_profile,
    show: ({ hardware_profile }) => html`<code>${hardware_profile}</code>`,
  },
  {
    title: "Credits per hour",
    numeric: true,
    by: ({ price_per_hour }) => price_per_hour,
    show: ({ price_per_hour }) => credits(price_per_hour),
  },
  {
    title: "For this account",
    show: ({ available }) => (available === null ? "unknown" : available ? "yes" : "no"),
  },
];

function Totals({ usage: { total } }: { usage: Usage }) {
  return h(Facts, {
    facts: [
      { name: "Cost", value: credits(total.cost.total) },
      { name: "Billed", value: credits(total.cost.billed) },
      { name: "Not billed yet", value: credits(total.cost.estimated) },
      { name: "Without a known cost", value: count(total.cost.unpriced) },
      { name: "Executions", value: count(total.executions) },
      { name: "Compute", value: duration(total.duration_ms) },
    ],
  });
}
