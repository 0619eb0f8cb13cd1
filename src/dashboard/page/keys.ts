// The API keys with what they spent and submitted, beside their budgets and quotas.
import type { ApiKeys, Usage } from "../../client/client.ts";
import { api } from "../api.ts";
import { count, credits, DASH, duration } from "../format.ts";
import { h, html } from "../html.ts";
import { useLoad } from "../load.ts";
import { Meter } from "../view/meter.ts";
import { Panel } from "../view/parts.ts";
import { shown } from "../view/state.ts";
import { type Column, Table } from "../view/table.ts";
import { When } from "../view/when.ts";

type Key = ApiKeys["data"][number];
type Row = Key & { spent: Usage["data"][number] | undefined };

/** @param from the first day of what was spent */
export function KeysPanel({ from }: { from: string }) {
  const [loaded, reload] = useLoad(
    `keys ${from}`,
    async (signal) => {
      const [keys, usage] = await Promise.all([
        api.keys({ signal }),
        api.usage({ from, group: "key" }, { signal }),
      ]);
      return rowsOf(keys, usage);
    },
    { everyMs: 15_000 },
  );
  const children = shown(loaded, reload, (rows) =>
    h(Table<Row>, { label: "API keys", columns: columnsFor(rows), rows, keyOf: ({ name }) => name }),
  );
  return h(Panel, { title: "Keys", aside: html`<span class="faint">since ${from}</span>`, children });
}

/** The key with the highest cost comes first; keys without a setting are left out. */
function rowsOf({ data }: ApiKeys, usage: Usage): Row[] {
  const spent = new Map(usage.data.map((row) => [row.key, row]));
  const rows = data.map((key) => ({ ...key, spent: spent.get(key.name) }));
  return rows.toSorted((a, b) => (b.spent?.cost.total ?? 0) - (a.spent?.cost.total ?? 0));
}

/** Columns of limits that nobody has are left out. */
function columnsFor(rows: Row[]): Column<Row>[] {
  return [
    ...columns,
    ...(rows.some(({ budget }) => budget !== null) ? [budgetColumn] : []),
    ...(rows.some(({ quota }) => quota !== null) ? [quotaColumn] : []),
  ];
}

const columns: Column<Row>[] = [
  {
    title: "Key",
    by: ({ name }) => name,
    show: ({ name, role }) => html`<span>${name} <span class="faint">${role}</span></span>`,
  },
  {
    title: "Cost",
    numeric: true,
    by: ({ spent }) => spent?.cost.total ?? 0,
    show: ({ spent }) => credits(spent?.cost.total ?? 0),
  },
  {
    title: "Not billed yet",
    numeric: true,
    minor: true,
    by: ({ spent }) => spent?.cost.estimated ?? 0,
    show: ({ spent }) => credits(spent?.cost.estimated ?? 0),
  },
  {
    title: "Executions",
    numeric: true,
    minor: true,
    by: ({ spent }) => spent?.executions ?? 0,
    show: ({ spent }) => count(spent?.executions ?? 0),
  },
  {
    title: "Compute",
    numeric: true,
    minor: true,
    by: ({ spent }) => spent?.duration_ms ?? 0,
    show: ({ spent }) => duration(spent?.duration_ms ?? 0),
  },
];

const budgetColumn: Column<Row> = {
  title: "Budget",
  by: ({ budget }) => (budget === null ? null : budget.spent / budget.limit),
  show: ({ name, budget }) =>
    budget === null
      ? DASH
      : html`<span class="limit">${h(Meter, { used: budget.spent, limit: budget.limit, label: `budget of ${name}`, format: credits })}
          <span class="faint">${budget.reached ? html`<b class="bad">used up</b>, more ` : "anew "}${h(When, { at: budget.resets_at })}</span></span>`,
};

const quotaColumn: Column<Row> = {
  title: "Quota",
  minor: true,
  by: ({ quota }) => (quota === null ? null : quota.used / quota.limit),
  show: ({ name, quota }) =>
    quota === null
      ? DASH
      : html`<span class="limit">${h(Meter, { used: quota.used, limit: quota.limit, label: `runs of ${name}`, format: count })}
          <span class="faint">runs per ${duration(quota.window_ms)}</span></span>`,
};
