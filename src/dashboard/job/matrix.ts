// A sweep as a heat map: two matrix values as axes, any result as colour and number; the best cell is ringed.
import type { ResultRow } from "../../client/client.ts";
import { credits, duration } from "../format.ts";
import { h, html } from "../html.ts";
import { place, setQuery } from "../router.ts";
import { Choice } from "../view/parts.ts";
import { empty } from "../view/state.ts";
import { HeatMap } from "./heat-map.ts";
import { HeatTable } from "./heat-table.ts";
import { axesOf, measures, pivot } from "./pivot.ts";

/** Up to here each cell says its number; beyond, colours alone fit on a screen. */
const MAX_TABLE_CELLS = 600;

export const formats: Record<string, (value: number) => string> = {
  duration,
  cost: credits,
  gpu: (value) => `${value.toFixed(0)} %`,
  energy: (value) => `${value.toPrecision(3)} Wh`,
  code: (value) => value.toFixed(0),
};

export function Matrix({ rows }: { rows: ResultRow[] }) {
  const axes = axesOf(rows);
  const [first, second] = axes;
  if (first === undefined)
    return empty("This job has no matrix", "Runs made from a matrix are shown here by their values.");
  const { query } = place.value;
  const x = query.get("x") ?? first;
  const wanted = query.get("y") ?? second ?? "";
  const y = wanted === x ? (axes.find((one) => one !== x) ?? "") : wanted;
  const by = query.get("value") ?? "duration";
  const measure = measures[by] ?? measures.duration;
  if (measure === undefined) return empty("There is no such value");
  const table = pivot(rows, x, y === "" ? null : y, measure);
  const format = formats[by] ?? String;
  const named = axes.map((value) => ({ value, label: value }));
  const choices = html`<div class="filters">
    ${h(Choice, { label: "across", value: x, options: named, onChange: (value) => setQuery({ x: value }) })}
    ${h(Choice, { label: "down", value: y, options: [{ value: "", label: "–" }, ...named], onChange: (value) => setQuery({ y: value }) })}
    ${h(Choice, {
      label: "value",
      value: by,
      options: Object.entries(measures).map(([value, { title }]) => ({ value, label: title })),
      onChange: (value) => setQuery({ value }),
    })}
    ${axes.length > 2 && html`<span class="faint">Cells are means over ${axes.filter((one) => one !== x && one !== y).join(", ")}.</span>`}
  </div>`;
  const isSmall = table.xs.length * table.ys.length <= MAX_TABLE_CELLS;
  const best = table.best;
  return html`<div class="stack">
    ${choices}
    ${isSmall ? h(HeatTable, { table, x, y, format }) : h(HeatMap, { table, x, y, format })}
    ${best && html`<p class="says">Best ${measure.title}: <b>${format(best.value ?? 0)}</b> at ${x}=${best.x}${y === "" ? "" : ` ${y}=${best.y}`} ${best.rows[0] && html`<a href=${`#/runs/${best.rows[0].run_id}`}>its run</a>`}</p>`}
  </div>`;
}
