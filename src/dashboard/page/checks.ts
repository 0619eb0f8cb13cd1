// The checks that the service makes of itself, as `proctor doctor` prints them.
import type { Status } from "../../client/client.ts";
import { h, html } from "../html.ts";
import { Panel } from "../view/parts.ts";
import { Mark } from "../view/status.ts";
import { type Column, Table } from "../view/table.ts";

type Check = Status["checks"][number];

/** Problems come first. */
export function Checks({ status }: { status: Status }) {
  const rows = status.checks.toSorted((a, b) => Number(a.ok) - Number(b.ok));
  const children = h(Table<Check>, { label: "Checks", columns: checks, rows, keyOf: ({ check }) => check });
  const aside = html`<span class="faint"><code>proctor doctor</code> adds checks from outside</span>`;
  return h(Panel, { title: "Checks", aside, children });
}

const checks: Column<Check>[] = [
  {
    title: "Check",
    show: ({ ok, check }) =>
      html`<span class="named">${h(Mark, { status: ok ? "ok" : "failed" })}<span>${check}</span></span>`,
  },
  {
    title: "Finding",
    show: ({ detail, hint }) =>
      html`<span class="wraps">${detail}${hint !== null && html` <span class="hint">→ ${hint}</span>`}</span>`,
  },
];
