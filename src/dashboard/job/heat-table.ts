// A heat map small enough to say its numbers: a table whose cells lead to their runs.
import { between, css, readRgb, textOn } from "../chart/colours.ts";
import { h, html } from "../html.ts";
import { Mark } from "../view/status.ts";
import { colour, theme } from "../view/theme.ts";
import type { Cell, Pivot } from "./pivot.ts";

export interface HeatProps {
  table: Pivot;
  x: string;
  y: string;
  format: (value: number) => string;
}

export function HeatTable({ table, x, y, format }: HeatProps) {
  const { xs, cells, least, most, best } = table;
  // Read, so that another theme renders anew.
  theme.value;
  const [low, high] = [readRgb(colour("heat-low")), readRgb(colour("heat-high"))];
  const cell = (one: Cell) => {
    const [run] = one.rows;
    if (run === undefined) return html`<td class="none"></td>`;
    const to = `#/runs/${run.run_id}`;
    if (one.value === null)
      return html`<td class="none"><a href=${to}>${h(Mark, { status: run.status })}</a></td>`;
    const ground = between(low, high, most === least ? 0.5 : (one.value - least) / (most - least));
    const isBad = one.rows.some(({ status }) => status === "failed");
    return html`<td class=${one === best ? "best" : ""} style=${{ background: css(ground) }}>
      <a href=${to} style=${{ color: textOn(ground) }} title=${`${x}=${one.x} ${y === "" ? "" : `${y}=${one.y}`}`}>${format(one.value)}${isBad && html` <span title="failed" aria-label="failed">✕</span>`}</a>
    </td>`;
  };
  return html`<div class="tablebox heat" tabindex="0" role="group" aria-label="Heat map"><table>
    <thead>
      <tr><th scope="col">${y === "" ? "" : y} <span class="faint">↓</span> ${x} <span class="faint">→</span></th>${xs.map((value) => html`<th scope="col" class="num">${value}</th>`)}</tr>
    </thead>
    <tbody>${cells.map((row) => html`<tr key=${row[0]?.y}><th scope="row">${row[0]?.y}</th>${row.map(cell)}</tr>`)}</tbody>
  </table></div>`;
}
